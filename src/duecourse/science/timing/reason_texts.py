"""The wording of reasons: one reviewed sentence part per group of facts, with numbers that are those of the facts.

Reasons say what is so, never that one thing makes another happen. Every number is an as-of fact of the invoice or its
customer, rounded; the days that a group adds are not part of the text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.config import FeatureSet
from duecourse.science.timing.facts import NEVER, Facts
from duecourse.science.timing.feature_groups import ACCOUNT, AMOUNT, EVENTS, HABIT, PAY_DAYS, RECENT, SKIPPED
from duecourse.science.timing.features import LANDMARK_NAMES, Features
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.signals import CONTACT_KINDS

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LIKE_ITS_NORM = "like its norm"
SMALL_DIFFERENCES = "several small differences from its norm"
WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
FEWEST_FOR_A_PATTERN = 3
NOTABLE_SHIFT_DAYS = 1.5  # the last three against the usual delay
NOTABLE_RATIO = 1.5  # the amount against the usual one, either way
_MOSTLY, _ALWAYS = 0.5, 0.9
_EVENT_TEXTS: Mapping[str, str] = {
    "whole_dispute": "the whole amount is disputed",
    "partial_dispute": "a part of the amount is disputed",
    "promise_live": "a payment is promised",
    "promise_broken": "a promise was not kept",
    "payment_returned": "a payment was returned",
    "calls_unanswered": "the last calls were not answered",
    "all_contacts_bounce": "e-mails come back",
}


@dataclass(frozen=True, slots=True)
class ReasonFacts:
    """What the texts may say of one invoice, as known on the day of the score.

    ``usual_delay`` is the median days late of the customer's last 20 paid invoices, ``last_three_delay`` the mean of
    its last three (None with fewer); ``weekday_payments`` and ``month_day_payments`` count its paid invoices by the
    day of payment; ``other_open`` and ``other_overdue`` leave this invoice out; ``newer_paid`` counts invoices due
    later and paid in the last 30 days, ``same_due_paid`` those due within a day of it; ``amount_ratio`` is its amount
    over the customer's average. Days are calendar days; None stands for "no such past".
    """

    paid_count: int
    usual_delay: float | None
    last_three_delay: float | None
    days_since_payment: int | None
    weekday_payments: tuple[int, ...]
    month_day_payments: tuple[int, ...]
    other_open: int
    other_overdue: int
    newer_paid: int
    same_due_paid: int
    amount_ratio: float | None
    partly_paid: bool
    events: tuple[str, ...]


def reason_text(group: str, facts: ReasonFacts) -> str:
    """The text of ``group`` for these facts; raises KeyError for a group that has no text."""
    return _TEXTS[group](facts)


def delay_text(days: float) -> str:
    """8 days after due, 1 day before due, on the due day; ``days`` late is rounded to whole days."""
    whole = round(abs(days))
    if whole == 0:
        return "on the due day"
    return f"{count_text(whole, 'day')} {'after' if days > 0 else 'before'} due"


def count_text(count: int, noun: str) -> str:
    """1 day, 2 days."""
    return f"{count} {noun if count == 1 else noun + 's'}"


def _habit(facts: ReasonFacts) -> str:
    if facts.usual_delay is None:
        return "has not paid an invoice yet"
    if facts.paid_count == 1:
        return f"paid its only invoice so far {delay_text(facts.usual_delay)}"
    return f"usually pays {delay_text(facts.usual_delay)}"


def _recent(facts: ReasonFacts) -> str:
    usual, last = facts.usual_delay, facts.last_three_delay
    if usual is not None and last is not None and abs(last - usual) >= NOTABLE_SHIFT_DAYS:
        return f"the last 3 were paid {delay_text(last)} on average"
    if facts.days_since_payment is None:
        return "no payment yet"
    if facts.days_since_payment == 0:
        return "the last payment came today"
    return f"the last payment came {count_text(facts.days_since_payment, 'day')} ago"


def _pay_days(facts: ReasonFacts) -> str:
    total = sum(facts.weekday_payments)
    if total < FEWEST_FOR_A_PATTERN:
        return "no pay-days known yet"
    most = int(np.argmax(facts.weekday_payments))
    share = facts.weekday_payments[most] / total
    if share >= _ALWAYS:
        return f"pays on {WEEKDAYS[most]}"
    around = [sum(facts.month_day_payments[(day + shift) % 31] for shift in (-1, 0, 1)) for day in range(31)]
    middle = int(np.argmax(around))
    if share >= _MOSTLY and facts.weekday_payments[most] >= around[middle]:
        return f"mostly pays on {WEEKDAYS[most]}"
    if around[middle] >= _MOSTLY * total:
        return f"mostly pays around the {_ordinal(middle + 1)}"
    return "pays on various days"


def _account(facts: ReasonFacts) -> str:
    if facts.other_overdue > 0:
        verb = "is" if facts.other_overdue == 1 else "are"
        return f"{count_text(facts.other_overdue, 'other invoice')} {verb} overdue"
    if facts.other_open > 0:
        verb = "is" if facts.other_open == 1 else "are"
        return f"{count_text(facts.other_open, 'other invoice')} {verb} open, none overdue"
    return "no other invoice is open"


def _skipped(facts: ReasonFacts) -> str:
    this_one = "this one not in full" if facts.partly_paid else "this one was not"
    if facts.newer_paid == 1:
        return f"a newer invoice was paid, {this_one}"
    if facts.newer_paid > 1:
        return f"newer invoices were paid, {this_one}"
    if facts.same_due_paid == 1:
        return f"an invoice due at the same time was paid, {this_one}"
    if facts.same_due_paid > 1:
        return f"invoices due at the same time were paid, {this_one}"
    return "no newer invoice was paid in the last 30 days"


def _amount(facts: ReasonFacts) -> str:
    ratio = facts.amount_ratio
    if ratio is None:
        return "no usual amount known yet"
    if ratio >= NOTABLE_RATIO:
        return f"{_times(ratio)} times the usual amount"
    if ratio > 1 / NOTABLE_RATIO:
        return "about the usual amount"
    return f"{round(100 * ratio)} % of the usual amount" if ratio >= 0.01 else "less than 1 % of the usual amount"


def _events(facts: ReasonFacts) -> str:
    told = [text for kind, text in _EVENT_TEXTS.items() if kind in facts.events]
    if not told:
        return "no dispute, promise or returned payment"
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"


_TEXTS: Mapping[str, Callable[[ReasonFacts], str]] = {
    HABIT: _habit,
    RECENT: _recent,
    PAY_DAYS: _pay_days,
    ACCOUNT: _account,
    SKIPPED: _skipped,
    AMOUNT: _amount,
    EVENTS: _events,
}


def _times(ratio: float) -> str:
    """3, 1.5, 2.5, 12: one decimal below 10, without a trailing zero."""
    return f"{ratio:.1f}".removesuffix(".0") if ratio < 10 else f"{round(ratio)}"


def _ordinal(day: int) -> str:
    """1st, 2nd, 3rd, 11th, 31st."""
    ending = "th" if 10 <= day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def reason_facts(
    features: Features, landmarks: Landmarks, *, feature_set: FeatureSet, promised: BoolArray
) -> list[ReasonFacts]:
    """The facts of each landmark, as-of its known day; ``promised`` says where a promise is live."""
    facts = features.facts
    columns = features.landmark_columns(landmarks).astype(np.float64)
    weekdays, month_days = _payments(features, landmarks)
    since = _days_since_payment(facts, landmarks)
    column = {name: columns[:, LANDMARK_NAMES.index(name)] for name in LANDMARK_NAMES}
    result = []
    for row, invoice in enumerate(landmarks.invoice.tolist()):
        paid = int(column["paid_count"][row])
        ratio = _known(column["amount_to_average_log"][row])
        result.append(
            ReasonFacts(
                paid_count=paid,
                usual_delay=_known(column["delay_p50"][row]),
                last_three_delay=_known(column["delay_mean_3"][row]) if paid >= FEWEST_FOR_A_PATTERN else None,
                days_since_payment=None if since[row] < 0 else int(since[row]),
                weekday_payments=tuple(weekdays[row].tolist()),
                month_day_payments=tuple(month_days[row].tolist()),
                other_open=int(column["open_count"][row]),
                other_overdue=int(column["overdue_count"][row]),
                newer_paid=int(column["newer_due_paid_30"][row]),
                same_due_paid=int(column["same_due_paid"][row]),
                amount_ratio=None if ratio is None else float(np.exp(ratio)),
                partly_paid=bool(facts.open_minor[invoice] < facts.amount[invoice]),
                events=_active_events(facts, landmarks, row, feature_set, promised=bool(promised[row])),
            )
        )
    return result


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _payments(features: Features, landmarks: Landmarks) -> tuple[IntArray, IntArray]:
    """Paid invoices of each customer per weekday (n, 7) and per day of the month (n, 31), as-of the known day."""
    facts, days = features.facts, features.pay_days
    start, end = facts.history(facts.customer[landmarks.invoice], landmarks.known_day)
    weekday, month_day = days.weekday[end] - days.weekday[start], days.month_day[end] - days.month_day[start]
    return weekday.astype(np.int64), month_day.astype(np.int64)


def _days_since_payment(facts: Facts, landmarks: Landmarks) -> IntArray:
    """Days from the customer's latest day of payment to the day on which we look, -1 without one; shape (n,)."""
    last = facts.last_cleared(facts.customer[landmarks.invoice], landmarks.known_day, FEWEST_FOR_A_PATTERN)
    paid_on = np.where(last >= 0, facts.paid_on[last], -NEVER).max(axis=1, initial=-NEVER)
    result: IntArray = np.where(paid_on > -NEVER, np.maximum(landmarks.known_day - paid_on, 0), -1)
    return result


def _active_events(
    facts: Facts, landmarks: Landmarks, row: int, feature_set: FeatureSet, *, promised: bool
) -> tuple[str, ...]:
    """Kinds of events that were known and spoke on the landmark's day."""
    invoice, known, day = landmarks.invoice[row], landmarks.known_day[row], landmarks.day[row]
    signals, disputes = facts.signals, facts.disputes
    first, last = np.searchsorted(signals.invoice, [invoice, invoice + 1])
    kinds = {
        str(signals.kind[place])
        for place in range(int(first), int(last))
        if signals.from_day[place] <= known and signals.to_day[place] > day
    }
    if feature_set == "no_contact":
        kinds -= CONTACT_KINDS
    whole = disputes.whole & (disputes.invoice == invoice) & (disputes.known < facts.as_of)
    if (whole & (disputes.from_day < facts.as_of) & (disputes.to_day >= NEVER)).any():
        kinds.add("whole_dispute")
    if promised:
        kinds.add("promise_live")
    return tuple(sorted(kinds))
