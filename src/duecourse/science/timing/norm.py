"""The norm that a score is explained against: the same invoice on the same days, of the median customer of its cohort.

A cohort is the open invoices of the same terms class and days late, seen on the same day, one per customer. Its median
customer has the cohort's median in every feature that describes a customer. Two things are not medians of single
numbers: its past delays are 1 to 50 made-up ones whose quantiles are the medians of the members' quantiles (a median
of hazards day by day would describe somebody who hardly ever pays), and its pay-days are the members' average shares.
Amounts are compared in units of the customer's usual amount, so that currencies do not mix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.core.ids import key_codes
from duecourse.science.timing.empirical import HISTORY
from duecourse.science.timing.facts import Facts
from duecourse.science.timing.features import LANDMARK_NAMES, Features
from duecourse.science.timing.features_account import ACCOUNT_NAMES, SIBLING_NAMES
from duecourse.science.timing.features_arrears import ARREARS_NAMES
from duecourse.science.timing.features_day import NO_OWN_HAZARD
from duecourse.science.timing.features_habit import HABIT_NAMES, delays, percentiles
from duecourse.science.timing.ladder import terms_class
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.own_hazard import BOOK_PAYMENTS, UnpaidBook, book_hazard

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

FEWEST_MEMBERS = 20  # customers; a smaller cohort gives way to its terms class, that one to the whole open book
MOST_MEMBERS = 5_000  # open invoices that may be looked at, chosen by the hash of their id
DAYS_LATE_BORDERS = (-14, 0, 8, 31, 61)
CUSTOMER_SIDE = (*HABIT_NAMES, *ACCOUNT_NAMES, *SIBLING_NAMES, *ARREARS_NAMES, "amount_to_average_log")


@dataclass(frozen=True)
class Norms:
    """The norm of each asked landmark.

    ``columns`` are its landmark columns, shape (n, 38); ``cohort`` says which entry of the tables is its own:
    ``delays`` (rising, one array per cohort), ``weekday_share`` (cohorts, 7), ``month_day_share`` (cohorts, 31).
    """

    columns: Float32Array
    cohort: IntArray
    delays: tuple[IntArray, ...]
    weekday_share: FloatArray
    month_day_share: FloatArray

    def delay_pattern(self, owner: IntArray, days_late: IntArray) -> tuple[FloatArray, FloatArray]:
        """Own cdf and own hazard of the median customer at the delay of each row, as ``own_delay_pattern`` counts."""
        cdf, hazard = np.empty(len(owner)), np.empty(len(owner))
        cohort = self.cohort[owner]
        for number, past in enumerate(self.delays):
            rows = np.flatnonzero(cohort == number)
            x = days_late[rows]
            before, until = np.searchsorted(past, x - 1), np.searchsorted(past, x + 2)
            hazard[rows] = ((until - before) / 3 + NO_OWN_HAZARD) / (len(past) - before + 1)
            cdf[rows] = np.searchsorted(past, x) / len(past)
        return cdf, hazard

    def own_hazard(self, facts: Facts, landmarks: Landmarks, horizon: int) -> FloatArray:
        """Hazard per day of the median customer's own past, as ``own_hazard`` draws it to the book's; (n, horizon)."""
        days_late = (landmarks.day - facts.due[landmarks.invoice])[:, None] + np.arange(horizon)[None, :]
        result = book_hazard(facts, UnpaidBook(facts), landmarks.known_day, days_late)
        for number, past in enumerate(self.delays):
            rows = np.flatnonzero(self.cohort == number)
            below = np.searchsorted(past, days_late[rows], side="left")
            payments = np.searchsorted(past, days_late[rows], side="right") - below
            result[rows] = (payments + BOOK_PAYMENTS * result[rows]) / (len(past) - below + BOOK_PAYMENTS)
        return result


def norms(features: Features, open_book: Landmarks, asked: Landmarks) -> Norms | None:
    """The norms of ``asked`` from the cohorts of ``open_book``; None where no customer of it has ever paid.

    They depend neither on the order of ``open_book`` nor on which of its invoices are asked for.
    """
    facts = features.facts
    members = _members(facts, open_book)
    if not len(members):
        return None
    cohort, groups = _cohorts(facts, members, asked)
    columns = features.landmark_columns(members).astype(np.float64)
    past = delays(facts, members)
    result = features.landmark_columns(asked)
    made_up = []
    for number, group in enumerate(groups):
        rows = np.flatnonzero(cohort == number)
        result[rows] = _median_columns(columns[group], result[rows].astype(np.float64))
        made_up.append(_median_delays(past[group]))
    weekday, month_day = _shares(features, members)
    return Norms(
        columns=result,
        cohort=cohort,
        delays=tuple(made_up),
        weekday_share=np.array([weekday[group].mean(axis=0) for group in groups]),
        month_day_share=np.array([month_day[group].mean(axis=0) for group in groups]),
    )


def _members(facts: Facts, open_book: Landmarks) -> Landmarks:
    """Open invoices of customers who have paid before, ordered by the hash of their id."""
    start, end = facts.history(facts.customer[open_book.invoice], open_book.known_day)
    known = np.flatnonzero(end > start)
    code = key_codes(facts.invoice_id[open_book.invoice[known]].tolist())
    order = np.lexsort((open_book.invoice[known], code))
    return open_book.take(known[order][:MOST_MEMBERS])


def _cohorts(facts: Facts, members: Landmarks, asked: Landmarks) -> tuple[IntArray, list[IntArray]]:
    """Which cohort each asked landmark belongs to, and the members of each cohort, one per customer."""
    of_members, of_asked = _levels(facts, members), _levels(facts, asked)
    cohort = np.full(len(asked), -1, dtype=np.int64)
    groups: list[IntArray] = []
    for level, fewest in enumerate((FEWEST_MEMBERS, FEWEST_MEMBERS, 1)):
        for key in np.unique(of_asked[level][cohort < 0]):
            same = np.flatnonzero(of_members[level] == key)
            _, first = np.unique(facts.customer[members.invoice[same]], return_index=True)
            if len(first) >= fewest:
                cohort[(cohort < 0) & (of_asked[level] == key)] = len(groups)
                groups.append(same[first].astype(np.int64))
    return cohort, groups


def _levels(facts: Facts, landmarks: Landmarks) -> tuple[IntArray, IntArray, IntArray]:
    """Keys from narrow to wide: (terms class, days late), terms class, everything."""
    terms = terms_class(facts)[landmarks.invoice]
    late = np.digitize(landmarks.day - facts.due[landmarks.invoice], DAYS_LATE_BORDERS)
    return (terms * 10 + late).astype(np.int64), terms, np.zeros_like(terms)


def _median_columns(members: FloatArray, own: FloatArray) -> FloatArray:
    """``own`` landmark columns with those of the customer set to the members' medians; shape of ``own``."""
    result = own.copy()
    for name in CUSTOMER_SIDE:
        result[:, _at(name)] = _median(members[:, _at(name)])
    average = own[:, _at("amount_log")] - result[:, _at("amount_to_average_log")]
    result[:, _at("average_amount_log")] = average
    owing = members[members[:, _at("open_count")] > 0]
    against_average = _median(owing[:, _at("open_amount_log")] - owing[:, _at("average_amount_log")])
    owes = (result[:, _at("open_count")] > 0) & np.isfinite(against_average)
    result[:, _at("open_amount_log")] = np.where(owes, average + against_average, 0.0)
    # The invoice itself is as late as it is, whoever owes it.
    itself = np.minimum(own[:, _at("worst_overdue_days")], np.maximum(own[:, _at("days_late_at_landmark")], 0))
    result[:, _at("worst_overdue_days")] = np.maximum(result[:, _at("worst_overdue_days")], itself)
    return result


def _median_delays(past: FloatArray) -> IntArray:
    """Rising delays of the median customer: the median of the members' quantiles, as many as members typically have."""
    count = int(np.clip(np.round(np.median(np.isfinite(past).sum(axis=1))), 1, HISTORY))
    shares = tuple((np.arange(count) + 0.5) / count)
    quantiles = np.median(percentiles(past, shares), axis=0)
    return np.round(quantiles).astype(np.int64)


def _shares(features: Features, members: Landmarks) -> tuple[FloatArray, FloatArray]:
    """Shares of each member's payments per weekday (n, 7) and around each day of the month (n, 31)."""
    n = len(members)
    week_owner, week = np.repeat(np.arange(n), 7), np.tile(np.arange(7), n)
    month_owner, month = np.repeat(np.arange(n), 31), np.tile(np.arange(1, 32), n)
    return (
        features.pay_days.weekday_share(members, week_owner, week).reshape(n, 7),
        features.pay_days.month_day_share(members, month_owner, month).reshape(n, 31),
    )


def _median(values: FloatArray) -> float:
    """Median of those that are known, NaN where none is."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _at(name: str) -> int:
    return LANDMARK_NAMES.index(name)
