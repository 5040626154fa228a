"""Collector minutes go where they bring most: the best act per minute first, never more than a day holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Candidate:
    """One act that takes minutes. ``gain`` is what it brings beyond the act that would be taken instead.

    ``tier`` orders before gain per minute: 0 settle disputes, 1 answer questions, 2 everything else.
    """

    key: str
    arm: str
    minutes: float
    gain: float
    tier: int = 2


@dataclass(frozen=True, slots=True)
class Allocation:
    """``day`` of each act that was given its minutes, ``refused`` key -> reason (no_gain, capacity).

    ``minute_price`` is what one more minute would have brought: the best gain per minute among those refused for
    want of capacity, 0 when there was room for all.
    """

    day: Mapping[str, date]
    refused: Mapping[str, str]
    minute_price: float


def allocate(
    candidates: Iterable[Candidate], days: Sequence[date], minutes: float | Mapping[date, float]
) -> Allocation:
    """Greedy by tier and gain per minute, each act on the first day that has room for it (ties by key).

    An act without gain is refused as ``no_gain``: the contact changes nothing. Against the fractional optimum the loss
    is less than one act per day; the sum of a day never exceeds its ``minutes``, the same for all or one number each.
    """
    room = dict(minutes) if isinstance(minutes, Mapping) else dict.fromkeys(days, minutes)
    placed: dict[str, date] = {}
    refused: dict[str, str] = {}
    price = 0.0
    for candidate in sorted(candidates, key=_order):
        if candidate.gain <= 0:
            refused[candidate.key] = "no_gain"
            continue
        day = next((day for day in days if room[day] >= candidate.minutes), None)
        if day is None:
            refused[candidate.key] = "capacity"
            price = max(price, candidate.gain / candidate.minutes)
        else:
            room[day] -= candidate.minutes
            placed[candidate.key] = day
    return Allocation(placed, refused, price)


def _order(candidate: Candidate) -> tuple[int, float, str]:
    per_minute = candidate.gain / candidate.minutes if candidate.minutes else float("inf")
    return candidate.tier, -per_minute, candidate.key
