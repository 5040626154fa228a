"""The two honest baseline policies, ``ladder`` and ``value_at_stake``: from wishes to acts within the day's minutes.

Both send the same mails and settle disputes and questions first. ``ladder`` gives the call minutes to the largest
balances; ``value_at_stake`` to the largest assumed gain per minute beyond the mail that would go instead, and sends no
mail that is assumed to bring less than it costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from duecourse.core.errors import UsageError
from duecourse.core.ids import key_codes
from duecourse.science.decisions.allocate import Allocation, Candidate, allocate
from duecourse.science.decisions.capacity import Capacity
from duecourse.science.decisions.figures import Figures
from duecourse.science.decisions.ladder import Wish, held_by_disputes, wish
from duecourse.science.decisions.mask import mask
from duecourse.science.decisions.points import ContactPoint
from duecourse.science.decisions.stake import assumed_gain
from duecourse.science.decisions.why import capacity_detail, no_gain_detail, self_cure_detail

POLICIES: Mapping[str, str] = {"ladder": "ladder/1", "value_at_stake": "value_at_stake/1", "learned": "learned/1"}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_TINY = 1e-9  # settling a dispute or answering a question is never without gain


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed for one contact point: an arm on a day, or ``none`` with the list it stands in and why.

    ``epoch_kind`` is scheduled or the event; empty when it is not this contact point's turn (no decision is made).
    ``figures`` stand behind a decision that was drawn by lot; without them the arm was certain. ``held_out``: the
    ladder decided because the payer is in the guardrail holdout.
    """

    point: ContactPoint
    masked: Mapping[str, str]
    epoch_kind: str
    arm: str = "none"
    day: date | None = None
    tier: int = 3
    score: float = 0.0
    silence: str = ""
    detail: str = ""
    figures: Figures | None = None
    held_out: bool = False


def policy_version(policy: str) -> str:
    """The version of a policy that exists; raises UsageError with what exists."""
    if policy not in POLICIES:
        raise UsageError(f"there is no policy {policy!r}; available: {', '.join(POLICIES)}")
    return POLICIES[policy]


def propose(
    points: Sequence[ContactPoint], capacity: Capacity, as_of: date, *, policy: str,
    room: Mapping[date, float] | None = None,
) -> tuple[list[Proposal], float]:  # fmt: skip
    """One proposal per contact point, in their order, and the minute price in median open invoices per minute.

    ``room``: minutes that are left on each business day (default: those of the capacity).
    """
    by_value = policy == "value_at_stake"
    days = capacity.business_days(as_of)
    masks = [mask(point, capacity) for point in points]
    epochs = epoch_kinds(points, days)
    wishes: list[Wish] = []
    for point, masked, epoch in zip(points, masks, epochs, strict=True):
        wishes.append(off_turn(point, days) if not epoch else wish(point, masked, as_of, by_value=by_value))
    candidates = [
        candidate
        for point, one in zip(points, wishes, strict=True)
        if (candidate := _candidate(point, one, capacity, by_value=by_value)) is not None
    ]
    allocation = allocate(candidates, days, capacity.minutes_per_day if room is None else room)
    scores = {candidate.key: (candidate.tier, _per_minute(candidate)) for candidate in candidates}
    proposals = [
        _settle(Proposal(point, masked, epoch), one, allocation, scores, capacity, by_value=by_value)
        for point, masked, epoch, one in zip(points, masks, epochs, wishes, strict=True)
    ]
    return proposals, allocation.minute_price


def epoch_kinds(points: Sequence[ContactPoint], days: Sequence[date]) -> list[str]:
    """scheduled, an event, or empty: a contact point has its turn once a week, on a weekday that its name decides.

    A horizon with all five weekdays gives everybody a turn. An unanswered message, an unowned dispute and a freshly
    broken promise are events that wait for no turn.
    """
    weekdays = {day.weekday() for day in days}
    whole_week = days and (days[-1] - days[0]).days >= 4
    turns = (key_codes(point.customer_id for point in points) % np.uint64(5)).tolist()
    kinds = []
    for point, turn in zip(points, turns, strict=True):
        if not days:
            kinds.append("")
        elif point.history.unanswered_days is not None:
            kinds.append("reply")
        elif point.disputes.unowned:
            kinds.append("dispute")
        elif point.broken_promise_days is not None and point.broken_promise_days <= 7:
            kinds.append("broken_promise")
        else:
            kinds.append("scheduled" if whole_week or turn in weekdays else "")
    return kinds


def off_turn(point: ContactPoint, days: Sequence[date]) -> Wish:
    """Why a contact point whose turn it is not is left alone."""
    if not days:
        return Wish(silence="deferred", detail="No business day lies within the horizon.")
    turn = int(key_codes([point.customer_id])[0] % np.uint64(5))
    return Wish(silence="deferred", detail=f"Its turn comes every {_WEEKDAYS[turn]}.")


def _candidate(point: ContactPoint, one: Wish, capacity: Capacity, *, by_value: bool) -> Candidate | None:
    """The act that takes minutes, with its gain in median open invoices so that currencies compare."""
    if one.resolve is not None:
        gain = held_by_disputes(point) if one.resolve == "route_dispute" else point.relative_collectible
        tier = (0 if one.resolve == "route_dispute" else 1) if one.urgent else 2
        if not one.urgent and by_value:
            gain = _gain(point, one.resolve, capacity)
        return Candidate(point.customer_id, one.resolve, capacity.minutes_of(one.resolve), max(gain, _TINY), tier)
    if one.call is None:
        return None
    if by_value:
        gain = _gain(point, one.call, capacity) - max(_gain(point, one.mail, capacity), 0.0)
    else:
        gain = point.relative_collectible
    return Candidate(point.customer_id, one.call, capacity.minutes_of(one.call), gain)


def _gain(point: ContactPoint, arm: str | None, capacity: Capacity) -> float:
    if arm is None:
        return 0.0
    expected, _, _ = assumed_gain(point.stake_of(arm), arm, capacity.cost_of(arm))
    return expected / point.typical_minor[point.currency]


def _per_minute(candidate: Candidate) -> float:
    return candidate.gain / candidate.minutes if candidate.minutes else candidate.gain


def _settle(proposal: Proposal, one: Wish, allocation: Allocation, scores: Mapping[str, tuple[int, float]],
            capacity: Capacity, *, by_value: bool) -> Proposal:  # fmt: skip
    """The wish after allocation: its minutes, the mail instead, or the list of those who are not worked."""
    point, masked, epoch = proposal.point, proposal.masked, proposal.epoch_kind
    key = point.customer_id
    if one.silence:
        detail = self_cure_detail(point) if one.silence == "self_cure" else one.detail
        return Proposal(point, masked, epoch, silence=one.silence, detail=detail)
    wanted = one.resolve or one.call
    if wanted is not None and key in allocation.day:
        tier, score = scores[key]
        return Proposal(point, masked, epoch, arm=wanted, day=allocation.day[key], tier=tier, score=score)
    if one.mail is not None and (not by_value or _gain(point, one.mail, capacity) > 0):
        score = _gain(point, one.mail, capacity) if by_value else point.relative_collectible
        return Proposal(point, masked, epoch, arm=one.mail, tier=3, score=score)
    if wanted is not None and allocation.refused.get(key) == "capacity":
        detail = capacity_detail(point, wanted, capacity.minutes_of(wanted))
        return Proposal(point, masked, epoch, silence="capacity", detail=detail)
    return Proposal(point, masked, epoch, silence="no_gain", detail=no_gain_detail())


def spread_mails(count: int, days: Sequence[date]) -> list[date]:
    """A day for each of ``count`` mails in rank order: evenly over the business days, the first ranks first."""
    return [days[number * len(days) // count] for number in range(count)]
