"""Live promises: the curve becomes a mixture of "kept" and "as if nothing had been promised".

``F' = p K + (1 - p) F`` with K the days between the promised day and the money over kept promises, and p the share of
promises that are kept: Beta(6.5, 3.5) and the book's and the customer's own outcomes. A promise of a part moves that
part of the curve only. Start values are assumptions of ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.core.calendar import are_business_days
from duecourse.ledger.as_of import View
from duecourse.science.timing.facts import NEVER, Facts
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.signals import PROMISE_GRACE_DAYS, SETTLEMENT_LAG_DAYS, covered_invoices

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

KEPT_PRIOR, BROKEN_PRIOR = 6.5, 3.5
BOOK_WEIGHT = 10.0  # promises that the book's own kept share counts for in a customer's
ARRIVAL_WEIGHT = 5.0  # kept promises that the assumed arrival days count for
WAIT_DAYS = SETTLEMENT_LAG_DAYS + PROMISE_GRACE_DAYS


@dataclass(frozen=True)
class PromiseBook:
    """Promises per covered invoice, newest last; one entry per (promise, invoice) pair that the view knows."""

    invoice: IntArray
    due: IntArray
    share: FloatArray
    kept: npt.NDArray[np.bool_]
    decided: npt.NDArray[np.bool_]
    arrival: IntArray


def promised_cdf(view: View, facts: Facts, landmarks: Landmarks, cdf: FloatArray) -> FloatArray:
    """``cdf`` of the open invoices with each live promise mixed in; shape (n, horizon), days from the landmark."""
    if view.table("promises").is_empty() or not len(landmarks):
        return cdf
    book = promise_book(view, facts)
    live = np.flatnonzero(~book.decided & (book.due + WAIT_DAYS >= facts.as_of))
    newest = np.full(len(facts), -1, dtype=np.int64)
    newest[book.invoice[live]] = live  # the last assignment wins: promises are ordered by the day they were made
    result = cdf.copy()
    arrival = arrival_days(book.arrival[book.kept])
    kept_share = _kept_shares(book, facts)
    for row in np.flatnonzero(newest[landmarks.invoice] >= 0):
        promise = newest[landmarks.invoice[row]]
        kept = kept_curve(int(book.due[promise] - landmarks.day[row]), int(landmarks.day[row]), arrival, cdf.shape[1])
        days_since = int(landmarks.day[row] - book.due[promise])
        p = book.share[promise] * _still_kept(kept_share[facts.customer[landmarks.invoice[row]]], arrival, days_since)
        result[row] = p * kept + (1 - p) * cdf[row]
    return result


def promise_book(view: View, facts: Facts) -> PromiseBook:
    """Every (promise, covered invoice) pair of ``view`` with its outcome as far as it is known."""
    place = pl.DataFrame(
        {
            "invoice_id": pl.Series(facts.invoice_id.tolist(), dtype=pl.String),
            "row": np.arange(len(facts)),
            "customer_id": pl.Series(facts.customer_ids[facts.customer].tolist(), dtype=pl.String),
            "currency": pl.Series(facts.currency.tolist(), dtype=pl.String),
            "issued_on": pl.Series(facts.issue).cast(pl.Int32).cast(pl.Date),
            "paid_on": pl.Series(np.where(facts.paid_on < NEVER, facts.paid_on, 0)).cast(pl.Int32).cast(pl.Date),
            "is_paid": facts.paid_on < NEVER,
            "open_minor": facts.open_minor,
        }
    ).with_columns(pl.when("is_paid").then("paid_on").alias("paid_on"))
    pairs = (
        covered_invoices(view, place)
        .join(place.select("invoice_id", "row", "open_minor"), on="invoice_id", how="inner")
        .with_columns((pl.col("amount_minor") / pl.col("open_minor").sum().over("promise_id")).alias("share"))
        .sort("promised_day", "promise_id", "row")
    )
    row = pairs.get_column("row").to_numpy().astype(np.int64)
    due = pairs.get_column("due_day").to_numpy().astype(np.int64)
    made = pairs.get_column("promised_day").to_numpy().astype(np.int64)
    arrived = facts.paid_on[row]
    kept = (arrived >= made) & (arrived <= due + WAIT_DAYS)
    share = np.nan_to_num(pairs.get_column("share").to_numpy().astype(np.float64), nan=1.0, posinf=1.0)
    return PromiseBook(
        invoice=row,
        due=due,
        share=np.clip(share, 0.0, 1.0),
        kept=kept,
        decided=kept | (due + WAIT_DAYS < facts.as_of),
        arrival=arrived - due,
    )


def _kept_shares(book: PromiseBook, facts: Facts) -> FloatArray:
    """P(kept) per customer: its own outcomes, shrunk to the book's, which start from Beta(6.5, 3.5); (customers,)."""
    customer = facts.customer[book.invoice]
    kept = np.bincount(customer[book.kept], minlength=len(facts.customer_ids))
    decided = np.bincount(customer[book.decided], minlength=len(facts.customer_ids))
    of_book = (kept.sum() + KEPT_PRIOR) / (decided.sum() + KEPT_PRIOR + BROKEN_PRIOR)
    result: FloatArray = (kept + BOOK_WEIGHT * of_book) / (decided + BOOK_WEIGHT)
    return result


def arrival_days(days: IntArray) -> FloatArray:
    """P(money k days after the promised day), k = -WAIT_DAYS..WAIT_DAYS, from kept promises and an assumed start."""
    start = np.zeros(2 * WAIT_DAYS + 1)
    start[WAIT_DAYS : WAIT_DAYS + SETTLEMENT_LAG_DAYS + 1] = 1 / (SETTLEMENT_LAG_DAYS + 1)
    own = np.bincount(np.clip(days, -WAIT_DAYS, WAIT_DAYS) + WAIT_DAYS, minlength=2 * WAIT_DAYS + 1)
    result: FloatArray = (own + ARRIVAL_WEIGHT * start) / (own.sum() + ARRIVAL_WEIGHT)
    return result


def _still_kept(kept: float, arrival: FloatArray, days_since: int) -> float:
    """P(kept | no money yet), so many days after the promised one: a promise loses belief as its days pass (Bayes)."""
    to_come = float(arrival[max(days_since + WAIT_DAYS, 0) :].sum())
    return kept * to_come / (kept * to_come + 1.0 - kept)


def kept_curve(days_to_promise: int, day: int, arrival: FloatArray, horizon: int) -> FloatArray:
    """Cdf of the money's day under a kept promise, from the landmark ``day`` on, on business days only; (horizon,)."""
    mass = np.zeros(horizon)
    days = days_to_promise - WAIT_DAYS + np.arange(len(arrival))
    inside = (days >= 0) & (days < horizon)
    mass[days[inside]] = arrival[inside]
    beyond = float(arrival[days >= horizon].sum())
    open_days = are_business_days(np.arange(day, day + horizon))
    for place in np.flatnonzero((mass > 0) & ~open_days):
        later = np.flatnonzero(open_days[place:])
        if len(later):
            mass[place + later[0]] += mass[place]
            mass[place] = 0.0
    total = float(mass.sum()) + beyond
    if total <= 0:  # every arrival day has passed: the money is due any moment
        mass[0] = total = 1.0
    result: FloatArray = np.minimum(np.cumsum(mass / total), 1.0)
    return result
