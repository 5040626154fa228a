"""The ladder of autonomy as data: how much a policy may do by itself, per arm and segment, and what moves it.

Promotion is proposed from evidence of the last 90 days and made by a person. Demotion is automatic. The kill switch is
the dunning ladder, which needs no model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from duecourse.ledger.schema import ARMS

EVIDENCE_DAYS = 90
KILL_SWITCH_POLICY = "ladder"
LEAST_GAIN = -0.005  # of the overdue balance: the lower bound must lie above it


@dataclass(frozen=True, slots=True)
class Level:
    """One level: its number, name, what it may do, and the gate to enter it, both in words for people."""

    number: int
    name: str
    may: str
    gate: str


LEVELS: tuple[Level, ...] = (
    Level(0, "replay", "describe history", "none; without propensities there is no claim about a policy"),
    Level(1, "shadow", "propose and log, never act", "the checks of the data and of the decision log pass"),
    Level(2, "approve", "a person approves each act", "4 weeks of shadow, calibration in bounds, no breach of a mask"),
    Level(
        3, "auto soft e-mail", "send soft and neutral e-mails and documents within caps",
        "500 approved acts, fewer than 10 % edited, lower bound above -0.5 % of the balance, guardrails quiet",
    ),
    Level(
        4, "auto within caps", "schedule calls, text messages and plans in the envelope",
        "90 days at level 3, lower bound above -0.5 % of the balance, guardrails quiet",
    ),
)  # fmt: skip

# The highest level an arm may reach by itself; harsh, legal and terms arms stay with a person.
HIGHEST: Mapping[str, int] = MappingProxyType({
    "none": 4, "email_soft": 4, "email_neutral": 4, "send_documents": 4, "route_dispute": 4, "sms_soft": 4,
    "call_service": 4, "email_firm": 2, "letter_formal": 2, "call_firm": 2, "call_plan": 2, "email_discount": 2,
    "escalate": 2,
})  # fmt: skip
# Above level 2 only with four eyes, and only where the level names them.
WITH_FOUR_EYES: Mapping[str, int] = MappingProxyType({"call_plan": 4})
# The level from which an arm acts without a person's approval.
ACTS_FROM: Mapping[str, int] = MappingProxyType({
    "none": 2, "email_soft": 3, "email_neutral": 3, "send_documents": 3, "route_dispute": 3, "sms_soft": 4,
    "call_service": 4, "call_plan": 4,
})  # fmt: skip


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


def acts_alone(arm: str, level: int) -> bool:
    """True when ``arm`` needs no approval at ``level``. Raises ValueError for an arm that does not exist."""
    _known(arm)
    return level >= ACTS_FROM.get(arm, len(LEVELS))


def ceiling(arm: str, *, four_eyes: bool = False) -> int:
    """The highest level that ``arm`` may reach. Raises ValueError for an arm that does not exist."""
    _known(arm)
    return WITH_FOUR_EYES.get(arm, HIGHEST[arm]) if four_eyes else HIGHEST[arm]


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
            (edited < 0.10, f"fewer than 10 % may be edited (so far {edited:.0%})"),
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


def _known(arm: str) -> None:
    if arm not in ARMS:
        raise ValueError(f"there is no arm {arm!r}")
