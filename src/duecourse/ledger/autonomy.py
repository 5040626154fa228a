"""The ladder of autonomy as data: what each level lets an arm do by itself, and the strata of the decision log.

``decisions`` carries the level and the stratum of each row. What moves an arm from level to level is judged by
``science.evaluate``; who plans under which level is the matter of ``science.decisions``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from duecourse.ledger.schema import ARMS

KILL_SWITCH_POLICY = "ladder"
# Strata of the decision log: drawn by the policy; kept on the ladder for good; proposed and never acted on.
POLICY, HELD_OUT, SHADOW = "policy", "guardrail_holdout", "shadow"
SHADOW_LEVEL, APPROVE_LEVEL = 1, 2
# Why an arm that offers terms is masked for those whom the lot keeps from offers, for good.
NOT_OFFERED_BY_LOT = "kept from offers by lot, so that what offers bring can be measured"
# Why an arm in shadow is masked where the lot fell on a live one: no rule forbids it, so a person may use it.
IN_SHADOW = "in shadow for this customer's segment: proposed, logged and not acted on"


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


def acts_alone(arm: str, level: int) -> bool:
    """True when ``arm`` needs no approval at ``level``. Raises ValueError for an arm that does not exist."""
    _known(arm)
    return level >= ACTS_FROM.get(arm, len(LEVELS))


def ceiling(arm: str, *, four_eyes: bool = False) -> int:
    """The highest level that ``arm`` may reach. Raises ValueError for an arm that does not exist."""
    _known(arm)
    return WITH_FOUR_EYES.get(arm, HIGHEST[arm]) if four_eyes else HIGHEST[arm]


def _known(arm: str) -> None:
    if arm not in ARMS:
        raise ValueError(f"there is no arm {arm!r}")
