"""What moves an arm on the ladder of autonomy (``ledger.autonomy``): gates, alarms and the kill switch.

Promotion is proposed from evidence of the last 90 days and made by a person. Demotion is automatic. The kill switch is
the dunning ladder, which needs no model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from duecourse.ledger.autonomy import KILL_SWITCH_POLICY, LEVELS, ceiling

EVIDENCE_DAYS = 90
LEAST_GAIN = -0.005  # of the overdue balance: the lower bound must lie above it


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the last 90 days showed for one arm and segment; None and the defaults mean not known, which never promotes.

    ``lower_bound``: of the gain over the ladder as a share of the overdue balance, by off-policy evaluation.
    """

    data_checks_pass: bool = False
    shadow_weeks: float = 0.0
    calibrated: bool = False
    mask_breaches: int | None = None
    approved: int = 0
    edited: int = 0
    lower_bound: float | None = None
    days_at_level: int = 0
    guardrails_crossed: tuple[str, ...] = ()
    guardrails_watched: bool = False
    audit_failed: bool = False
    instrument_alarm: bool = False
    four_eyes: bool = False


@dataclass(frozen=True, slots=True)
class Ruling:
    """The level from now on, whether it is a promotion to be confirmed by a person, and every reason in words.

    ``policy`` is ``ladder`` when the model must not decide any more, else empty.
    """

    level: int
    promotes: bool
    reasons: tuple[str, ...]
    policy: str = ""


def rule(arm: str, level: int, evidence: Evidence, *, killed: bool = False) -> Ruling:
    """The ruling for ``arm`` at ``level`` (0..4): demotion first, then at most one step up.

    A false propensity or an instrument alarm takes the model back to shadow, a crossed guardrail back to approval by a
    person. Raises ValueError for an arm or level that does not exist.
    """
    highest = ceiling(arm, four_eyes=evidence.four_eyes)
    if not 0 <= level < len(LEVELS):
        raise ValueError(f"there is no level {level}; levels are 0 to {len(LEVELS) - 1}")
    if killed:
        return Ruling(min(level, 1), False, ("kill switch: the dunning ladder decides",), KILL_SWITCH_POLICY)
    broken = [
        text
        for fails, text in (
            (evidence.audit_failed, "the logged propensities do not agree with what was drawn"),
            (evidence.instrument_alarm, "the effects change when only the drawn part of the contacts is used"),
        )
        if fails
    ]
    if broken:
        return Ruling(min(level, 1), False, tuple(broken), KILL_SWITCH_POLICY)
    if evidence.guardrails_crossed:
        crossed = f"guardrail crossed: {', '.join(evidence.guardrails_crossed)}"
        return Ruling(min(level, 2), False, (crossed,))
    if level > highest:
        return Ruling(highest, False, (f"{arm} never acts above level {highest} ({LEVELS[highest].name})",))
    if level == highest:
        return Ruling(level, False, (f"{arm} has reached its highest level",))
    missing = missing_for(level + 1, evidence)
    if missing:
        return Ruling(level, False, missing)
    return Ruling(level + 1, True, (f"the gate to level {level + 1} ({LEVELS[level + 1].name}) is passed",))


def missing_for(level: int, evidence: Evidence) -> tuple[str, ...]:
    """What the evidence lacks to enter ``level``, each as words with the figure; empty when the gate is passed."""
    edited = evidence.edited / evidence.approved if evidence.approved else 1.0
    edited_text = f"so far {edited:.0%}" if evidence.approved else "nothing was approved yet"
    bound = "not known" if evidence.lower_bound is None else f"{evidence.lower_bound:+.2%}"
    gain = evidence.lower_bound is not None and evidence.lower_bound > LEAST_GAIN
    gain_text = f"lower bound of the gain must be above {LEAST_GAIN:.1%} of the balance (is {bound})"
    watched = (evidence.guardrails_watched, "guardrails must be watched")
    conditions: Mapping[int, tuple[tuple[bool, str], ...]] = {
        0: (),
        1: ((evidence.data_checks_pass, "the checks of the data and of the decision log must pass"),),
        2: (
            (evidence.shadow_weeks >= 4, f"4 weeks of shadow are needed (so far {evidence.shadow_weeks:g})"),
            (evidence.calibrated, "calibration must be in bounds"),
            (evidence.mask_breaches == 0, f"no breach of a mask is allowed (found: {evidence.mask_breaches})"),
        ),
        3: (
            (evidence.approved >= 500, f"500 approved acts are needed (so far {evidence.approved})"),
            (edited < 0.10, f"fewer than 10 % may be edited ({edited_text})"),
            (gain, gain_text),
            watched,
        ),
        4: (
            (evidence.days_at_level >= 90, f"90 days at level 3 are needed (so far {evidence.days_at_level})"),
            (gain, gain_text),
            watched,
        ),
    }
    return tuple(text for holds, text in conditions[level] if not holds)
