"""Behaviour segments prompt / occasional / chronic / new of every customer, from what it paid in the last 12 months.

Definition (glossary, behaviour segment), over the invoices known to be paid in the 365 days before the day asked for:
``new`` fewer than 3; ``prompt`` at most 15 % of them later than 5 days; ``chronic`` at least 60 % of them later than
5 days, or on average more than 15 days late; else ``occasional``. A customer that already has a segment leaves it only
when a figure lies 5 points (for the average: 1 day) beyond the border, so that nobody flaps. Whether a customer had a
segment is not stored anywhere: history is replayed month by month up to the day asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.science.timing.facts import NEVER, Facts

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
TextArray = npt.NDArray[np.object_]

SEGMENTS = ("new", "prompt", "occasional", "chronic")
WINDOW_DAYS = 365
FEWEST_PAID = 3
LATE_DAYS = 5  # later than this counts as late
PROMPT_SHARE = 0.15
CHRONIC_SHARE = 0.60
CHRONIC_MEAN_DAYS = 15.0
MARGIN_SHARE = 0.05  # a change needs 5 points beyond the border
MARGIN_DAYS = 1.0  # and for the border in days, one day
_MONTH = np.timedelta64(1, "M")
_NEW, _PROMPT, _OCCASIONAL, _CHRONIC = range(4)


@dataclass(frozen=True, slots=True)
class BehaviourSegments:
    """One entry per customer of ``Facts.customer_ids``: its segment and the figures that decided.

    ``paid`` invoices of the window, ``late_share`` of them later than 5 days, ``mean_days_late`` (both nan at 0 paid).
    """

    segment: TextArray
    paid: IntArray
    late_share: FloatArray
    mean_days_late: FloatArray

    def frame(self, facts: Facts) -> pl.DataFrame:
        """customer_id, segment, paid_invoices, late_share, mean_days_late, sentence; sorted by customer_id."""
        sentences = [
            _sentence(str(segment), int(paid), float(share), float(mean))
            for segment, paid, share, mean in zip(
                self.segment, self.paid, self.late_share, self.mean_days_late, strict=True
            )
        ]
        return pl.DataFrame(
            {
                "customer_id": pl.Series(facts.customer_ids.tolist(), dtype=pl.String),
                "segment": pl.Series(self.segment.tolist(), dtype=pl.String),
                "paid_invoices": self.paid,
                "late_share": pl.Series(self.late_share).fill_nan(None),
                "mean_days_late": pl.Series(self.mean_days_late).fill_nan(None),
                "sentence": pl.Series(sentences, dtype=pl.String),
            }
        ).sort("customer_id")


def behaviour_segments(facts: Facts, as_of_day: int | None = None) -> BehaviourSegments:
    """The segment of every customer as of ``as_of_day`` (an epoch day, default ``facts.as_of``).

    Uses only payments known before that day. Raises ValueError for a day after ``facts.as_of``.
    """
    day = facts.as_of if as_of_day is None else as_of_day
    if day > facts.as_of:
        raise ValueError(f"day {day} is after the facts' own as_of {facts.as_of}")
    state = np.full(len(facts.customer_ids), _NEW, dtype=np.int64)
    figures = _figures(facts, day)
    for moment in [*_month_starts(facts, day), day]:
        figures = _figures(facts, moment)
        state = _move(state, *figures)
    paid, share, mean = figures
    shown = np.where(paid < FEWEST_PAID, _NEW, state)
    return BehaviourSegments(np.array(SEGMENTS, dtype=object)[shown], paid, share, mean)


def _month_starts(facts: Facts, day: int) -> list[int]:
    """First days of all months from the first known payment to before ``day``."""
    known = facts.paid_known[facts.paid_known < day]
    if not known.size:
        return []
    first = np.datetime64(int(known.min()), "D").astype("datetime64[M]") + _MONTH
    months = np.arange(first, np.datetime64(day, "D").astype("datetime64[M]") + _MONTH)
    starts = months.astype("datetime64[D]").astype(np.int64)
    return [int(start) for start in starts if start < day]


def _figures(facts: Facts, day: int) -> tuple[IntArray, FloatArray, FloatArray]:
    """Paid invoices, share later than 5 days and mean days late per customer, over the 12 months before ``day``."""
    rows = np.flatnonzero((facts.paid_known < day) & (facts.paid_on < NEVER) & (facts.paid_on >= day - WINDOW_DAYS))
    size = len(facts.customer_ids)
    customer = facts.customer[rows]
    days_late = (facts.paid_on - facts.due)[rows].astype(np.float64)
    paid = np.bincount(customer, minlength=size).astype(np.int64)
    late = np.bincount(customer, weights=(days_late > LATE_DAYS).astype(np.float64), minlength=size)
    total = np.bincount(customer, weights=days_late, minlength=size)
    with np.errstate(invalid="ignore"):
        return paid, late / np.where(paid > 0, paid, np.nan), total / np.where(paid > 0, paid, np.nan)


def _move(state: IntArray, paid: IntArray, share: FloatArray, mean: FloatArray) -> IntArray:
    """The next state: without one, by the plain borders; with one, only past the border plus its margin.

    Too few payments leave the remembered state as it is, so that a customer that returns is judged against it.
    """
    plain = np.where(
        (share >= CHRONIC_SHARE) | (mean > CHRONIC_MEAN_DAYS),
        _CHRONIC,
        np.where(share <= PROMPT_SHARE, _PROMPT, _OCCASIONAL),
    )
    clearly_chronic = (share >= CHRONIC_SHARE + MARGIN_SHARE) | (mean > CHRONIC_MEAN_DAYS + MARGIN_DAYS)
    clearly_not_chronic = (share < CHRONIC_SHARE - MARGIN_SHARE) & (mean <= CHRONIC_MEAN_DAYS - MARGIN_DAYS)
    clearly_prompt = share <= PROMPT_SHARE - MARGIN_SHARE
    clearly_not_prompt = share > PROMPT_SHARE + MARGIN_SHARE
    leaves = np.select(
        [state == _PROMPT, state == _CHRONIC, state == _OCCASIONAL],
        [
            ((plain == _OCCASIONAL) & clearly_not_prompt) | ((plain == _CHRONIC) & clearly_chronic),
            clearly_not_chronic,
            ((plain == _PROMPT) & clearly_prompt) | ((plain == _CHRONIC) & clearly_chronic),
        ],
        default=True,
    )
    moved = np.where(leaves, plain, state)
    result: IntArray = np.where(paid >= FEWEST_PAID, moved, state)
    return result


def _sentence(segment: str, paid: int, late_share: float, mean_days_late: float) -> str:
    if segment == "new":
        return f"New: {_count(paid)} paid in the last 12 months; {FEWEST_PAID} are needed to know a habit."
    average = round(mean_days_late)
    size = "1 day" if abs(average) == 1 else f"{abs(average)} days"
    side = "on the due date" if average == 0 else f"{size} {'late' if average > 0 else 'early'}"
    return (
        f"{segment.capitalize()}: of {_count(paid)} paid in the last 12 months, "
        f"{late_share:.0%} came more than {LATE_DAYS} days late; on average {side}."
    )


def _count(paid: int) -> str:
    return "1 invoice" if paid == 1 else f"{paid} invoices"
