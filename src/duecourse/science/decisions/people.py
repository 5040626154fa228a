"""``needs_human``: why a proposal must not leave without a person looking at it, whatever the autonomy level."""

from __future__ import annotations

from duecourse.science.decisions.envelope import TERMS_ARMS
from duecourse.science.decisions.mask import TONE_OF
from duecourse.science.decisions.points import ContactPoint

HIGH_VALUE_TIMES = 20.0  # [A] this many times the book's median open invoice is high value


def needs_human(point: ContactPoint, arm: str) -> str:
    """The first reason that applies, in the words of the glossary; empty when none does.

    strategic, high_value, first_firm_tone, unclear_reply (their message was not read by anybody yet), policy (an open
    dispute: the undisputed rest goes through a person; terms: the one whom the envelope names approves each offer),
    compliance_unknown (a natural person), model_uncertain (no history at all behind the prediction).
    """
    carrying = point.carrying
    rules = (
        ("strategic", point.strategic),
        ("high_value", point.relative_collectible >= HIGH_VALUE_TIMES),
        ("first_firm_tone", TONE_OF.get(arm) == "firm" and not point.history.firm_before),
        ("unclear_reply", point.history.unanswered_days is not None),
        ("policy", point.disputes.number > 0 or arm in TERMS_ARMS),
        ("compliance_unknown", point.debtor_kind in ("consumer", "sole_trader")),
        ("model_uncertain", carrying is not None and carrying.rung == "terms"),
    )
    return next((reason for reason, applies in rules if applies), "")
