"""The dunning ladder over a ``Book``: the baseline that every policy is measured against.

E-mails in the overdue weeks 0 and 2 (soft) and 4 (firm), a formal letter in week 6, firm mail in week 9 and every four
weeks from then on; calls from week 3 to the biggest balances, at least four weeks apart. The oldest invoice that is
more than a leftover carries the sequence; whoever was written to since the present step began is left alone. Where the
mask forbids an arm, the next milder one is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duecourse.science.simulate.living.book import Book, Capacity, Decided, surely
from duecourse.science.simulate.living.inboxes import Flags
from duecourse.science.simulate.living.spec import ARM
from duecourse.science.simulate.living.view import CALLS
from duecourse.science.simulate.pay_calendar import Floats, Ints

STEPS = ((0, "email_soft"), (2, "email_soft"), (4, "email_firm"), (6, "letter_formal"), (9, "email_firm"))
LATER_EVERY_WEEKS = 4
MILDER = {
    "email_soft": (), "email_firm": ("email_neutral", "email_soft"),
    "letter_formal": ("email_firm", "email_neutral", "email_soft"),
}  # fmt: skip
CALL_FROM_DAYS, CALLS_APART_DAYS = 21, 28
CARRYING_SHARE = 0.05
NO_REMINDER = (ARM["route_dispute"], ARM["send_documents"])


@dataclass(frozen=True)
class Arrears:
    """Per contact point: overdue collectible money (minor), and days late of the invoice that carries the sequence."""

    minor: Floats
    days_late: Ints


def arrears(book: Book) -> Arrears:
    """What each contact point is late with; ``days_late`` is 0 where nothing is."""
    points = book.allowed.shape[0]
    late = book.as_of - book.due
    overdue = np.flatnonzero((book.collectible_minor > 0) & (late > 0))
    owner, minor = book.point[overdue], book.collectible_minor[overdue]
    total = np.bincount(owner, minor, minlength=points).astype(np.float64)
    weighty = minor >= CARRYING_SHARE * total[owner]
    oldest = np.zeros(points, dtype=np.int64)
    np.maximum.at(oldest, owner[weighty], late[overdue][weighty])
    return Arrears(total, oldest)


def days_since(book: Book, arms: Ints | None = None) -> Ints:
    """Days since the last contact (of these arms) with each contact point; very many where there was none."""
    last = np.full(book.allowed.shape[0], -(10**9), dtype=np.int64)
    chosen = ~np.isin(book.contact_arm, NO_REMINDER) if arms is None else np.isin(book.contact_arm, arms)
    np.maximum.at(last, book.contact_point[chosen], book.contact_day[chosen])
    return book.as_of - last


def ladder_mails(book: Book) -> Ints:
    """The arm of the step that is due, per contact point; 0 for none."""
    owed = arrears(book)
    weeks = owed.days_late // 7
    since = days_since(book)
    arm = np.zeros(weeks.size, dtype=np.int64)
    ends = [week for week, _ in STEPS[1:]] + [10**6]
    for (begins, name), end in zip(STEPS, ends, strict=True):
        here = (owed.days_late > 0) & (weeks >= begins) & (weeks < end)
        step = begins + (weeks - begins) // LATER_EVERY_WEEKS * LATER_EVERY_WEEKS if end == 10**6 else begins
        # In the first week the step begins with the first day late, not with the due date.
        done = since <= owed.days_late - np.maximum(7 * step, 1)
        arm[here & ~done] = ARM[name]
    return milder(book, arm)


def milder(book: Book, arm: Ints) -> Ints:
    """``arm`` per contact point, or the firmest milder one that the mask allows; 0 where none is left."""
    result = arm.copy()
    for name, others in MILDER.items():
        wanted = np.flatnonzero(arm == ARM[name])
        choice = np.zeros(wanted.size, dtype=np.int64)
        for other in reversed((name, *others)):
            choice = np.where(book.allowed[wanted, ARM[other]], ARM[other], choice)
        result[wanted] = choice
    return result


def wants_call(book: Book) -> Flags:
    """Contact points that the ladder would call now, were there enough people."""
    ready = (arrears(book).days_late >= CALL_FROM_DAYS) & (days_since(book, np.array(CALLS)) >= CALLS_APART_DAYS)
    wants: Flags = ready & book.allowed[:, ARM["call_service"]]
    return wants


def with_calls(arm: Ints, candidates: Flags, worth: Floats, calls: int) -> Ints:
    """``arm`` with service calls for the ``calls`` candidates of the greatest worth; ties by number of the point."""
    can = np.flatnonzero(candidates & (worth > 0))
    chosen = can[np.argsort(-worth[can], kind="stable")[:calls]]
    result = arm.copy()
    result[chosen] = ARM["call_service"]
    return result


def ladder(book: Book, capacity: Capacity, seed: int) -> Decided:  # noqa: ARG001 - the ladder draws nothing
    """The ladder's decisions for all contact points that it contacts."""
    arm = with_calls(ladder_mails(book), wants_call(book), arrears(book).minor, capacity.calls)
    point = np.flatnonzero(arm)
    return surely(point, arm[point])
