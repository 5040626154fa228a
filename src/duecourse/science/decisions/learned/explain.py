"""Why an act is proposed, or nobody is contacted: figures of the plan, put into reviewed sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from duecourse.core.money import Money
from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.figures import Figures
from duecourse.science.decisions.learned.book import NONE, Floats
from duecourse.science.decisions.learned.events import EventPrices
from duecourse.science.decisions.learned.hazard_model import MODIFIER_NAMES, effective
from duecourse.science.decisions.learned.panel import MODIFIERS
from duecourse.science.decisions.learned.policy import Outcome
from duecourse.science.decisions.learned.prior import COLD_ID
from duecourse.science.decisions.learned.segments import SEGMENTS
from duecourse.science.decisions.points import ContactPoint
from duecourse.science.decisions.terms_offered import TermsOffered
from duecourse.science.decisions.why import fitted, lateness

SELF_CURE = 0.75
ACTS = {
    "none": "no contact", "email_soft": "a soft e-mail", "email_neutral": "an e-mail", "email_firm": "a firm e-mail",
    "sms_soft": "a text message", "letter_formal": "a formal letter", "call_service": "a call",
    "call_firm": "a firm call", "call_plan": "a call about a plan", "email_discount": "a discount offer",
    "send_documents": "sending the papers", "route_dispute": "settling the dispute", "escalate": "an escalation",
}  # fmt: skip
_SEGMENT_WORDS = {
    "new": "a new customer", "disputer": "it often disputes", "cash_tight": "it is short of cash",
    "batch": "it pays at month end", "strategic": "it pays late on purpose", "forgetful": "it pays when reminded",
    "prompt": "it usually pays on time", "occasional": "it is late now and then",
}  # fmt: skip
_MODIFIER_WORDS = {
    "lateness": ("it usually pays early", "it usually pays late"),
    "speed": ("it is slow once overdue", "it is quick once overdue"),
    "tardiness": ("it is mostly on time", "it is late more often than not"),
    "quarrels": ("it seldom disputes", "it disputes often"),
}


@dataclass(frozen=True)
class Explainer:
    """Figures and sentences of one outcome; ``scale`` (n,) turns its amounts into minor units of each point.

    ``events``: what contacts cost by driving customers away, of all contact points of the book.
    """

    outcome: Outcome
    scale: Floats
    events: EventPrices

    @cached_property
    def _best(self) -> Floats:
        """(n, A) mean gain per arm, -inf where it may not be used."""
        result: Floats = self.outcome.quality.mean(axis=0)
        return result

    def figures(self, row: int, arm: int, point: ContactPoint, nested: str = "",
                terms: TermsOffered | None = None) -> Figures:  # fmt: skip
        """The figures of deciding ``arm`` (offering ``terms``) for the contact point in ``row`` of the outcome."""
        outcome, scale, at = self.outcome, float(self.scale[row]), int(self.outcome.decided.point[row])
        gain, cash = outcome.quality[:, row, arm], outcome.effects.cash[:, row, arm]
        low, high = outcome.posterior_range(gain)
        cash_low, cash_high = outcome.posterior_range(cash)
        possible = np.flatnonzero(np.isfinite(self._best[row]))
        others = [int(code) for code in possible if code != arm]
        second = max(others, key=lambda code: (self._best[row, code], -code), default=NONE)
        alone = outcome.effects.cash_alone[:, row].mean()
        return Figures(
            gain_minor=round(gain.mean() * scale), gain_p10_minor=round(low * scale),
            gain_p90_minor=round(high * scale),
            propensities={ARMS[code]: float(value) for code, value in enumerate(outcome.decided.propensities[row])},
            q_arms={ARMS[code]: round(self._best[row, code] * scale) for code in possible},
            dp_arms={ARMS[code]: round(float(outcome.effects.chance[row, code]), 6) for code in possible},
            cash_alone_minor=round(alone * scale), cash_with_minor=round((alone + cash.mean()) * scale),
            cash_p10_minor=round(cash_low * scale), cash_p90_minor=round(cash_high * scale),
            second_best=ARMS[second], second_best_gap_minor=round(float(gain.mean() - self._best[row, second]) * scale),
            chosen_how=self.how(row, arm), reasons="; ".join(self.reasons(row)),
            why=self.why(row, arm, point, doubtful=bool(low < 0)),
            nested=nested if terms is None else terms.logged(nested), terms=terms,
            relationship_minor=round(float(outcome.price_minor[row, arm]) * scale),
            event_minor=round(float(self.events.minor[at, arm]) * scale), events=self.events.words(at, arm),
        )  # fmt: skip

    def how(self, row: int, arm: int) -> str:
        """How the lot came to ``arm``."""
        plans = self.outcome.plans
        times = int((plans[:, row] == arm).sum())
        if not times:
            return f"exploration, {self.outcome.decided.propensities[row, arm]:.0%}"
        return f"best in {times} of {plans.shape[0]} draws"

    def share_alone(self, row: int) -> float:
        """Share of the money asked for that is expected within six weeks without a contact."""
        return float(self.outcome.effects.cash_alone[:, row].mean()) / max(self._money(row), 1.0)

    def _money(self, row: int) -> float:
        point = self.outcome.decided.point[row]
        found = self.outcome.situations
        return float(found.open_minor[found.point == point].sum())

    def why(self, row: int, arm: int, point: ContactPoint, *, doubtful: bool) -> str:
        """One sentence of at most 140 characters; ``doubtful`` admits that the act may bring nothing."""
        alone = self.share_alone(row)
        change = float(self.outcome.effects.chance[row, arm])
        act = ACTS[ARMS[arm]]
        parts = [
            _lateness(point),
            f"{act} lifts the chance of money in 6 weeks from {alone:.0%} to {alone + change:.0%}",
        ]
        parts.append(self.how(row, arm))
        if doubtful:
            parts.append("it may bring nothing")
        return fitted(parts)

    def left_alone(self, row: int, point: ContactPoint) -> tuple[str, str]:
        """(reason, sentence) for a contact point for which ``none`` was drawn."""
        alone = self.share_alone(row)
        expected = f"{alone:.0%} is expected within 6 weeks without a contact"
        acts = [int(code) for code in np.flatnonzero(np.isfinite(self._best[row])) if code != NONE]
        best = max(acts, key=lambda code: (self._best[row, code], -code), default=NONE)
        gain = self._best[row, best]
        if best == NONE or gain <= 0:
            reason = "self_cure" if alone >= SELF_CURE else "no_gain"
            return reason, fitted([_lateness(point), expected, "no act brings more than it costs"])
        brings = Money(round(gain * self.scale[row]), point.currency).format()
        none_in = int((self.outcome.plans[:, row] == NONE).sum())
        draws = self.outcome.plans.shape[0]
        if none_in * 2 < draws:
            return "by_lot", fitted([expected, f"{ACTS[ARMS[best]]} would bring {brings}; left out by lot, to learn"])
        return "capacity", fitted([expected, f"{ACTS[ARMS[best]]} would bring {brings}; others bring more"])

    def reasons(self, row: int) -> Sequence[str]:
        """The two largest causes among segment and history, on the base hazard and on the effect of contacts."""
        knowledge, found = self.outcome.knowledge, self.outcome.situations
        at = int(np.argmax(np.where(found.point == self.outcome.decided.point[row], found.open_minor, -1.0)))
        segment, columns = int(found.segment[at]), knowledge.columns
        mode = knowledge.posterior.mode
        folded = effective(columns, mode)[segment]
        own = mode[columns.own(segment)]
        weights = {_SEGMENT_WORDS[SEGMENTS[segment]]: abs(own[0]) + float(np.abs(own[1:]).max(initial=0))}
        base = {name: knowledge.columns.names.index(name) for name in MODIFIER_NAMES}
        for modifier in range(MODIFIERS):
            name, value = MODIFIER_NAMES[modifier], float(found.modifiers[at, modifier])
            effect = float(np.abs(folded[columns.phi(modifier)]).max(initial=0))
            weights[_MODIFIER_WORDS[name][value > 0]] = abs(value) * (abs(float(folded[base[name]])) + effect)
        return sorted(weights, key=lambda words: (-weights[words], words))[:2]


def _lateness(point: ContactPoint) -> str:
    carrying = point.carrying
    return lateness(point, carrying) if carrying is not None else ""


def evidence(outcome: Outcome, decisions: int, contacts: int) -> str:
    """One line on what the effects rest on."""
    knowledge = outcome.knowledge
    name = knowledge.prior.prior_id
    origin = "assumptions" if name == COLD_ID else f"what was learnt on simulated companies (prior {name})"
    if not decisions:
        return (
            f"Effects of contacts rest on {origin} alone: this ledger holds no decision that was drawn by lot with its "
            "probabilities."
        )
    line = (
        f"Effects of contacts rest on {origin} and your data: {decisions:,} decisions drawn by lot, "
        f"{contacts:,} of them contacts, {knowledge.past.panel.rows:,} overdue invoice-weeks."
    )
    if knowledge.alarm:
        line += " The instrument check found effects that the lot does not explain: the centred fit is used."
    return line
