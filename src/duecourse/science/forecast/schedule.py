"""The expected sentence: how much of the open amount is likely paid on schedule, a week late, later, or not at all.

Each issued open invoice stands where the median of its curve falls: on or before the due date, 1 to 7 days late, later,
or not within the days of the curve. The amounts of the four add up to the open amount.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.balances import invoice_balances
from duecourse.science.forecast.book import curve_table

ON_TIME, WEEK_LATE, LATER, NOT_EXPECTED = "on_time", "week_late", "later", "not_expected"
ORDER = (ON_TIME, WEEK_LATE, LATER, NOT_EXPECTED)
COLUMNS = {"currency": pl.String(), "expected": pl.String(), "open_minor": pl.Int64(), "percent": pl.Int64()}


def expected_schedule(view: View, curves: pl.DataFrame) -> pl.DataFrame:
    """currency, expected (``ORDER``), open_minor, percent of the currency's open amount; four rows per currency.

    Percents are whole and add up to 100 (largest remainder). Raises ValueError for an open invoice without a curve.
    """
    ids, cdf = curve_table(curves)
    reached = cdf >= 0.5
    median = np.where(reached.any(axis=1), reached.argmax(axis=1), -1) if len(ids) else np.zeros(0, np.int64)
    medians = pl.DataFrame({"invoice_id": ids, "median_day": pl.Series(median, dtype=pl.Int64)})
    still_open = (
        invoice_balances(view)
        .filter((pl.col("open_minor") > 0) & (pl.col("issued_on") < view.as_of))
        .join(medians, on="invoice_id", how="left")
    )
    if still_open.get_column("median_day").null_count():
        raise ValueError("every open invoice needs a curve")
    days_late = (pl.lit(view.as_of) - pl.col("due_on")).dt.total_days() + pl.col("median_day")
    place = (
        pl.when(pl.col("median_day") < 0).then(3).when(days_late <= 0).then(0).when(days_late <= 7).then(1).otherwise(2)
    )
    sums = still_open.with_columns(place.alias("place")).group_by("currency", "place").agg(pl.col("open_minor").sum())
    rows = []
    for currency in sums.get_column("currency").unique().sort():
        of = dict(sums.filter(pl.col("currency") == currency).select("place", "open_minor").iter_rows())
        amounts = [int(of.get(each, 0)) for each in range(4)]
        rows += list(zip([currency] * 4, ORDER, amounts, whole_percents(amounts), strict=True))
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def whole_percents(amounts: list[int]) -> list[int]:
    """Whole percents of ``amounts`` that add up to 100, by largest remainder; all 0 when there is nothing."""
    total = sum(amounts)
    if not total:
        return [0] * len(amounts)
    floors = [amount * 100 // total for amount in amounts]
    remainders = sorted(range(len(amounts)), key=lambda place: (-(amounts[place] * 100 % total), place))
    for place in remainders[: 100 - sum(floors)]:
        floors[place] += 1
    return floors


def schedule_sentence(schedule: pl.DataFrame, currency: str) -> str:
    """The sentence of one currency, for example "62 % of the open amount is expected on schedule, ..."."""
    percent = dict(schedule.filter(pl.col("currency") == currency).select("expected", "percent").iter_rows())
    return (
        f"{percent[ON_TIME]} % of the open {currency} amount is expected on schedule, {percent[WEEK_LATE]} % up to a "
        f"week late, {percent[LATER]} % later, and {percent[NOT_EXPECTED]} % is not expected unless somebody steps in"
    )
