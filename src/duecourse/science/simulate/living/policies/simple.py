"""Simple policies: a weekly blast, value at stake, and a random logger whose propensities are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duecourse.core.ids import uniform
from duecourse.ledger.schema import ARMS
from duecourse.science.simulate.living.book import Book, Capacity, Decided, none, surely
from duecourse.science.simulate.living.inboxes import Flags
from duecourse.science.simulate.living.policies.ladder import (
    arrears,
    ladder_mails,
    wants_call,
    with_calls,
)
from duecourse.science.simulate.living.spec import ARM
from duecourse.science.simulate.living.view import CALLS
from duecourse.science.simulate.pay_calendar import Floats

__all__ = ["RandomLog", "blast", "none", "value_at_stake"]

HALF_LIFE_WEEKS = 13.0  # [A] value at stake: how fast an old debt loses its worth
NEVER_DRAWN = (ARM["escalate"], ARM["route_dispute"], ARM["send_documents"], ARM["email_discount"])


def blast(book: Book, capacity: Capacity, seed: int) -> Decided:  # noqa: ARG001 - draws nothing
    """Every week a soft mail to everybody who is late, and calls to the biggest balances."""
    owed = arrears(book)
    mails = np.where(book.allowed[:, ARM["email_soft"]] & (owed.minor > 0), ARM["email_soft"], 0)
    arm = with_calls(mails, book.allowed[:, ARM["call_service"]], owed.minor, capacity.calls)
    point = np.flatnonzero(arm)
    return surely(point, arm[point])


def value_at_stake(book: Book, capacity: Capacity, seed: int) -> Decided:  # noqa: ARG001 - draws nothing
    """The ladder's mails; calls by overdue balance times the share of it that waiting endangers."""
    owed = arrears(book)
    endangered = 1 - 0.5 ** (owed.days_late / 7 / HALF_LIFE_WEEKS)
    arm = with_calls(ladder_mails(book), wants_call(book), owed.minor * endangered, capacity.calls)
    point = np.flatnonzero(arm)
    return surely(point, arm[point])


@dataclass(frozen=True)
class RandomLog:
    """Each epoch an arm by chance: ``none`` with ``rest``, calls within the capacity, all other arms equally.

    Logs exact propensities. Calls beyond the capacity are avoided by drawing them with that share of the epochs, so
    about half of the weeks are a little above it and the house then leaves some undone.
    """

    rest: float = 0.4

    def __call__(self, book: Book, capacity: Capacity, seed: int) -> Decided:
        """Decisions for all epochs of today."""
        point = book.epochs()
        propensities = self.propensities(book.allowed[point], capacity)
        draws = uniform(seed, "random policy", point.astype(np.uint64), book.week)
        arm = (draws[:, None] >= np.cumsum(propensities, axis=1)[:, :-1]).sum(axis=1)
        return Decided(point, arm.astype(np.int64), propensities)

    def propensities(self, allowed: Flags, capacity: Capacity) -> Floats:
        """Propensity of each arm (n, ARMS) for epochs with this mask."""
        calls = np.zeros(len(ARMS), dtype=bool)
        calls[list(CALLS)] = True
        drawn = allowed.copy()
        drawn[:, list(NEVER_DRAWN)] = False
        drawn[:, 0] = False
        callable_points = max(int((drawn & calls).any(axis=1).sum()), 1)
        call_share = min(capacity.calls / callable_points, (1 - self.rest) / 2)
        counts = np.maximum((drawn & calls).sum(axis=1), 1)[:, None]
        result = np.where(drawn & calls, call_share / counts, 0.0)
        others = drawn & ~calls
        left = 1 - self.rest - result.sum(axis=1, keepdims=True)
        result = result + np.where(others, left / np.maximum(others.sum(axis=1, keepdims=True), 1), 0.0)
        result[:, 0] = 1 - result[:, 1:].sum(axis=1)
        return result
