"""The simple cash forecasts that stand beside ours in every table, made from the same ``View`` and frozen with it.

``due_date``: open invoices on max(due, ``as_of``), and the model's volume of coming invoices by their usual terms.
``last_week``, ``last_4``, ``last_13``, ``last_26``: the mean weekly cash of those weeks (of those that exist), flat.
``customer_median``: due date + the median of the customer's last 20 delays (the book's below 3), the model's inflow.
``in_terms_90``: 90 % of every invoice on its due date and 10 % thirty days later (an assumption often met in planning
sheets). ``ladder``: the promised day + settlement lag where there is one, else ``customer_median`` (books hold no
collector's own date). What is past counts for the first day. None of them has a band.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.collectible import collectible
from duecourse.science.forecast.cash import no_past
from duecourse.science.forecast.inflow import inflow_mean, issue_volume, weekday
from duecourse.science.forecast.inflow_draws import PastInvoices
from duecourse.science.forecast.issued import WEEK
from duecourse.science.forecast.lags import LAG_HORIZON_DAYS, LAG_WINDOW_DAYS, LEAST_INVOICES_A_WEEKDAY
from duecourse.science.forecast.open_book import Floats, Integers
from duecourse.science.timing.baselines import (
    FEWEST_FOR_MEDIAN,
    MEDIAN_HISTORY,
    book_median_delay,
    live_promises,
)
from duecourse.science.timing.facts import Facts, facts_from_view
from duecourse.science.timing.signals import SETTLEMENT_LAG_DAYS

WEEKS_BACK: Mapping[str, int] = {"last_week": 1, "last_4": 4, "last_13": 13, "last_26": 26}
BY_INVOICE = ("due_date", "customer_median", "in_terms_90", "ladder")
LABELS: Mapping[str, str] = {
    "model": "duecourse model",
    "independent": "model with independent customers",
    "due_date": "due date",
    "customer_median": "customer's median delay",
    "in_terms_90": "90 % within terms",
    "ladder": "promise, else median",
    "last_week": "last week again",
    "last_4": "the 4-week average",
    "last_13": "the 13-week average",
    "last_26": "the 26-week average",
}
IN_TERMS_SHARE, LATER_DAYS = 0.9, 30


@dataclass(frozen=True)
class Expected:
    """What a simple method expects per day, minor units: from invoices open now (None: it cannot tell) and in all.

    Shapes (days,). Fractions of a minor unit are kept: a window is rounded once, when it is frozen.
    """

    open_daily: Floats | None
    daily: Floats


@dataclass(frozen=True)
class _OpenBook:
    """Open invoices of one currency: rows in Facts, due and promised days (-1: none), what may still come of each."""

    row: Integers
    due_day: Integers
    promised_day: Integers
    amount_minor: Integers


def simple_forecasts(
    view: View, past: Mapping[str, PastInvoices], cash: pl.DataFrame, days: int
) -> dict[str, dict[str, Expected]]:
    """Currency -> method -> what it expects on each of the next ``days`` days.

    ``past`` as ``book.past_invoices`` gives for the same view, ``cash`` as ``scoring.cash_received``: only what was
    received before ``view.as_of`` is used.
    """
    facts = facts_from_view(view)
    books = _open_books(view, facts)
    nothing = np.zeros(0, dtype=np.int64)
    result = {}
    for currency in sorted(past.keys() | books.keys()):
        book = books.get(currency, _OpenBook(nothing, nothing, nothing, nothing))
        methods = _by_invoice(facts, book, past.get(currency, no_past(view.as_of)), days)
        weekly = _received_by_week(cash, currency, facts.as_of)
        for method, weeks in WEEKS_BACK.items():
            mean = float(weekly[:weeks].mean()) if len(weekly) else 0.0
            methods[method] = Expected(None, np.full(days, mean / WEEK))
        result[currency] = methods
    return result


def _by_invoice(facts: Facts, book: _OpenBook, past: PastInvoices, days: int) -> dict[str, Expected]:
    own_inflow, terms_inflow = inflow_mean(past.history, days), _inflow_by_terms(past, days)
    habit = book.due_day + np.rint(_median_delay(facts, book.row)).astype(np.int64)
    promised = np.where(book.promised_day >= 0, book.promised_day + SETTLEMENT_LAG_DAYS, habit)

    def arriving(day: Integers, share: float = 1.0) -> Floats:
        ahead = np.maximum(day - facts.as_of, 0)
        inside = ahead < days
        total = np.zeros(days)
        np.add.at(total, ahead[inside], share * book.amount_minor[inside])
        return total

    on_time = arriving(book.due_day)
    later = arriving(np.maximum(book.due_day, facts.as_of) + LATER_DAYS, 1 - IN_TERMS_SHARE)
    in_terms = IN_TERMS_SHARE * on_time + later
    later_inflow = np.concatenate([np.zeros(LATER_DAYS), terms_inflow])[:days]
    return {
        "due_date": Expected(on_time, on_time + terms_inflow),
        "customer_median": Expected(arriving(habit), arriving(habit) + own_inflow),
        "in_terms_90": Expected(
            in_terms, in_terms + IN_TERMS_SHARE * terms_inflow + (1 - IN_TERMS_SHARE) * later_inflow
        ),
        "ladder": Expected(arriving(promised), arriving(promised) + own_inflow),
    }


def _open_books(view: View, facts: Facts) -> dict[str, _OpenBook]:
    """Open, undisputed amounts less money that is here already, by currency."""
    place = pl.DataFrame({"invoice_id": pl.Series(facts.invoice_id.tolist(), dtype=pl.String)}).with_row_index("row")
    rows = (
        collectible(view)
        .with_columns((pl.col("open_minor") - pl.col("disputed_minor") - pl.col("netted_minor")).alias("amount_minor"))
        .filter(pl.col("amount_minor") > 0)
        .join(place, on="invoice_id", how="inner")
        .join(_promised(view, facts.as_of), on="invoice_id", how="left")
        .sort("row")
    )
    books = {}
    for (currency,), part in sorted(rows.group_by("currency", maintain_order=True), key=lambda item: item[0]):
        row = part.get_column("row").cast(pl.Int64).to_numpy()
        promised = part.get_column("promised_day").fill_null(-1).to_numpy()
        books[str(currency)] = _OpenBook(row, facts.due[row], promised, part.get_column("amount_minor").to_numpy())
    return books


def _promised(view: View, as_of: int) -> pl.DataFrame:
    """invoice_id, promised_day (epoch day) of open invoices with a live promise: for it, else for the account."""
    promises = live_promises(view, as_of).with_columns(pl.col("due_on").to_physical().cast(pl.Int64).alias("day"))
    named = promises.explode("invoice_ids").drop_nulls("invoice_ids")
    by_invoice = named.group_by("invoice_ids", maintain_order=True).agg(pl.col("day").last().alias("for_invoice"))
    whole = promises.filter(pl.col("invoice_ids").is_null() | (pl.col("invoice_ids").list.len() == 0))
    by_customer = whole.group_by("customer_id", maintain_order=True).agg(pl.col("day").last().alias("for_account"))
    return (
        view.table("invoices")
        .select("invoice_id", "customer_id")
        .join(by_invoice, left_on="invoice_id", right_on="invoice_ids", how="left", maintain_order="left")
        .join(by_customer, on="customer_id", how="left", maintain_order="left")
        .select("invoice_id", pl.coalesce("for_invoice", "for_account").alias("promised_day"))
        .drop_nulls("promised_day")
    )


def _median_delay(facts: Facts, row: Integers) -> Floats:
    """Median of each customer's last 20 known delays, of the book's below 3; days, shape (n,)."""
    known = np.full(len(row), facts.as_of, dtype=np.int64)
    last = facts.last_cleared(facts.customer[row], known, MEDIAN_HISTORY)
    present = last >= 0
    delay = np.where(present, (facts.paid_on - facts.due)[last], 0).astype(np.float64) if len(facts) else 0.0 * last
    median = np.full(len(row), book_median_delay(facts, facts.as_of))
    enough = present.sum(axis=1) >= FEWEST_FOR_MEDIAN
    median[enough] = np.nanmedian(np.where(present, delay, np.nan)[enough], axis=1) if enough.any() else 0.0
    return median


def _inflow_by_terms(past: PastInvoices, days: int) -> Floats:
    """The model's volume of coming invoices, each paid on its due date: terms of the last 150 days by issue weekday."""
    history = past.history
    cash = np.zeros(days)
    if not len(history.issue_day):
        return cash
    recent = history.issue_day >= history.as_of - LAG_WINDOW_DAYS
    terms = np.clip(past.due_day - history.issue_day, 0, LAG_HORIZON_DAYS - 1)[recent]
    amount, day_of_week = history.amount_minor[recent], weekday(history.issue_day[recent])
    volume = issue_volume(history, days)
    ahead = weekday(history.as_of + np.arange(days, dtype=np.int64))
    for k in range(days):
        mine = day_of_week == ahead[k]
        chosen = mine if int(mine.sum()) >= LEAST_INVOICES_A_WEEKDAY else np.ones_like(mine)
        mass = np.bincount(terms[chosen], amount[chosen], minlength=LAG_HORIZON_DAYS)
        reach = min(days - k, LAG_HORIZON_DAYS)
        if mass.sum() > 0:
            cash[k : k + reach] += volume[k] * mass[:reach] / mass.sum()
    return cash


def _received_by_week(cash: pl.DataFrame, currency: str, as_of: int) -> Floats:
    """Cash of the weeks before ``as_of``, newest first, as many whole weeks as there are; minor units."""
    mine = cash.filter(pl.col("currency") == currency)
    day = mine.get_column("received_on").cast(pl.Int32).cast(pl.Int64).to_numpy()
    amount = mine.get_column("amount_minor").to_numpy()
    before = day < as_of
    if not before.any():
        return np.zeros(0)
    weeks = max(1, (as_of - int(day.min())) // WEEK)
    back = (as_of - 1 - day[before]) // WEEK
    total = np.bincount(back, amount[before], minlength=weeks)[:weeks]
    result: Floats = total.astype(np.float64)
    return result
