"""``score``: a frozen forecast against the cash that came; ``measures``: what many scores say about each method.

A window is mature when its last day + 3 days (late posting) lies before the day of scoring. With A the actual cash, P
the prediction: APE abs(A - P)/A, accuracy 1 - APE, WAPE sum abs(A - P) / sum A, bias sum (P - A) / sum A, pinball_p
max(p e, (p - 1) e) with e = A - P_p, and CRPS mean abs(x_k - A) - sum_k (2k - n - 1) x_k / n^2 from the n sorted draws
that the record kept, both divided by A. Weekly snapshots overlap: 26 of them are not 26 independent cases.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from duecourse.science.forecast.frozen import ForecastRecord

LATE_POSTING_DAYS = 3
LEVELS = (0.1, 0.5, 0.9)
KEY = ("currency", "part", "first_day", "last_day", "method")
SCORE_COLUMNS: dict[str, Any] = {
    "record_id": pl.String(), "as_of": pl.Date(), "scored_on": pl.Date(), "currency": pl.String(),
    "part": pl.String(), "first_day": pl.Int64(), "last_day": pl.Int64(), "method": pl.String(),
    "actual_minor": pl.Int64(), "mean_minor": pl.Int64(), "p10_minor": pl.Int64(), "p50_minor": pl.Int64(),
    "p90_minor": pl.Int64(), "rank": pl.Float64(), "crps": pl.Float64(),
    **{f"pinball_{round(100 * level)}": pl.Float64() for level in LEVELS},
}  # fmt: skip


def is_mature(as_of: date, last_day: int, scored_on: date) -> bool:
    """Whether the window that ends before day ``last_day`` of a forecast can be scored on ``scored_on``."""
    return as_of + timedelta(days=last_day - 1 + LATE_POSTING_DAYS) < scored_on


def score(record: ForecastRecord, cash: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Every mature window of ``record`` beside what came, one row per window and method; columns ``SCORE_COLUMNS``.

    ``cash`` is ``received.cash_received`` of the books at ``as_of``, the day of scoring. ``rank`` is the share of the
    kept draws below the actual amount (ties count half). ``crps`` and ``pinball_*`` are shares of the actual amount and
    null where it is 0 or the method has no band.
    """
    matured = [row for row in record.windows.iter_rows(named=True) if is_mature(record.as_of, row["last_day"], as_of)]
    days = cash.with_columns((pl.col("received_on") - record.as_of).dt.total_days().alias("day"))
    actual: dict[tuple[str, str, int, int], int] = {}
    rows = []
    for row in matured:
        window = (row["currency"], row["part"], row["first_day"], row["last_day"])
        if window not in actual:
            actual[window] = _actual(days, window, record.as_of)
        rows.append((record.record_id, record.as_of, as_of, *window, row["method"], *_judged(row, actual[window])))
    return pl.DataFrame(rows, schema=SCORE_COLUMNS, orient="row")


def _actual(days: pl.DataFrame, window: tuple[str, str, int, int], as_of: date) -> int:
    currency, part, first, last = window
    inside = (pl.col("currency") == currency) & (pl.col("day") >= first) & (pl.col("day") < last)
    if part == "open":
        inside &= pl.col("known_on") < as_of
    return int(days.filter(inside).get_column("amount_minor").sum())


def _judged(row: dict[str, Any], actual: int) -> tuple[Any, ...]:
    bands = [row[name] for name in ("p10_minor", "p50_minor", "p90_minor")]
    head = (actual, row["mean_minor"], *bands)
    if bands[0] is None:
        return (*head, None, None, None, None, None)
    x = np.asarray(row["sample_minor"], dtype=np.float64)
    rank = float((x < actual).mean() + 0.5 * (x == actual).mean())
    if actual == 0:
        return (*head, rank, None, None, None, None)
    misses = [
        max(level * (actual - p), (level - 1) * (actual - p)) / actual for level, p in zip(LEVELS, bands, strict=True)
    ]
    return (*head, rank, crps_of_sample(x, float(actual)) / actual, *misses)


def crps_of_sample(x: np.ndarray[tuple[int], np.dtype[np.float64]], actual: float) -> float:
    """CRPS of the empirical distribution of ``x`` at ``actual``, in the unit of both (Gneiting and Raftery 2007)."""
    ordered, n = np.sort(x), len(x)
    place = 2 * np.arange(1, n + 1) - n - 1
    return float(np.abs(ordered - actual).mean() - (place * ordered).sum() / n**2)


def latest(scores: pl.DataFrame) -> pl.DataFrame:
    """The newest score of each window: a corrected ledger leaves more than one, and both are kept."""
    order = ["as_of", *KEY, "record_id"]
    return scores.sort(*order, "scored_on").unique(order, keep="last", maintain_order=True)


def measures(scores: pl.DataFrame, by: tuple[str, ...] = KEY) -> pl.DataFrame:
    """One row per window and method (or per other grouping ``by``) with the means over its scores.

    Adds snapshots, wape, wape_p50, bias, ape, worst_ape, accuracy, coverage, below, above, width, crps, pinball; null
    where a method has no band or nothing came.
    """
    actual, mean, p50 = (pl.col(name).cast(pl.Float64) for name in ("actual_minor", "mean_minor", "p50_minor"))
    paid = pl.when(pl.col("actual_minor") > 0)
    ape = paid.then((actual - mean).abs() / actual)
    banded = pl.when(pl.col("p10_minor").is_not_null())
    total = pl.when(actual.sum() > 0)
    return (
        scores.group_by(*by)
        .agg(
            pl.len().alias("snapshots"),
            total.then((actual - mean).abs().sum() / actual.sum()).alias("wape"),
            pl.when((actual.sum() > 0) & p50.is_not_null().all())
            .then((actual - p50).abs().sum() / actual.sum())
            .alias("wape_p50"),
            total.then((mean - actual).sum() / actual.sum()).alias("bias"),
            ape.mean().alias("ape"),
            ape.max().alias("worst_ape"),
            (1 - ape.mean()).alias("accuracy"),
            banded.then(pl.col("actual_minor").is_between("p10_minor", "p90_minor")).mean().alias("coverage"),
            banded.then(pl.col("actual_minor") < pl.col("p10_minor")).mean().alias("below"),
            banded.then(pl.col("actual_minor") > pl.col("p90_minor")).mean().alias("above"),
            paid.then((pl.col("p90_minor") - pl.col("p10_minor")) / actual).mean().alias("width"),
            pl.col("crps").mean(),
            pl.mean_horizontal("pinball_10", "pinball_50", "pinball_90").mean().alias("pinball"),
        )
        .sort(*by)
    )


def misses(record: ForecastRecord, cash: pl.DataFrame, week: int) -> pl.DataFrame:
    """Who made the difference between expected and received in one of the first four weeks of ``record``.

    Columns: currency, parent_id (null: invoices the books did not know yet), expected_minor, received_minor,
    miss_minor (received - expected); largest absolute miss first.
    """
    last = f"paid_by_{7 * week + 7}"
    share = pl.col(last) - (pl.col(f"paid_by_{7 * week}") if week else 0.0)
    expected = record.items.group_by("currency", "parent_id").agg(
        (pl.col("amount_minor") * share).sum().round().cast(pl.Int64).alias("expected_minor")
    )
    mean = (pl.col("method") == "model") & (pl.col("first_day") == 7 * week) & (pl.col("last_day") == 7 * week + 7)
    sign = pl.when(pl.col("part") == "total").then(1).otherwise(-1)
    later = (
        record.windows.filter(mean)
        .group_by("currency")
        .agg((sign * pl.col("mean_minor")).sum().cast(pl.Int64).alias("expected_minor"))
        .select("currency", pl.lit(None, dtype=pl.String()).alias("parent_id"), "expected_minor")
    )
    day = (pl.col("received_on") - record.as_of).dt.total_days()
    received = (
        cash.filter(day.is_between(7 * week, 7 * week + 6))
        .with_columns(pl.when(pl.col("known_on") < record.as_of).then("parent_id").alias("parent_id"))
        .group_by("currency", "parent_id")
        .agg(pl.col("amount_minor").sum().alias("received_minor"))
    )
    return (
        pl.concat([expected, later])
        .join(received, on=["currency", "parent_id"], how="full", nulls_equal=True, coalesce=True)
        .with_columns(pl.col("expected_minor", "received_minor").fill_null(0))
        .with_columns((pl.col("received_minor") - pl.col("expected_minor")).alias("miss_minor"))
        .sort([pl.col("miss_minor").abs(), pl.col("parent_id")], descending=[True, False], nulls_last=True)
        .sort("currency", maintain_order=True)
    )


def verdicts(scores: pl.DataFrame, last: tuple[int, ...] = (13, 26)) -> list[str]:
    """A sentence for every simple method that was closer than ours in most of the last 13 or 26 snapshots.

    Asked for the first week and for the first four weeks together, all cash, currency by currency.
    """
    from duecourse.science.forecast.baselines import LABELS

    said = []
    total = latest(scores).filter(pl.col("part") == "total")
    asked = (((0, 7), "the coming week"), ((0, 28), "the coming four weeks"))
    for (currency,), mine in sorted(total.group_by("currency"), key=lambda one: str(one[0])):
        many = total.get_column("currency").n_unique() > 1
        for (first, end), words in asked:
            window = mine.filter((pl.col("first_day") == first) & (pl.col("last_day") == end))
            said += [
                f"{LABELS[method]} was closer in {won} of the last {known} weeks for {words}"
                + (f" ({currency})" if many else "")
                for method, won, known in _winners(window, last)
            ]
    return said


def _winners(window: pl.DataFrame, last: tuple[int, ...]) -> list[tuple[str, int, int]]:
    """(method, times closer, snapshots) of each simple method that won, at the longest span in which it did."""
    error = window.with_columns((pl.col("actual_minor") - pl.col("mean_minor")).abs().alias("error"))
    wide = error.pivot("method", index="as_of", values="error").sort("as_of")
    found = []
    for method in sorted(set(wide.columns) - {"as_of", "model", "independent"}):
        both = wide.drop_nulls([method, "model"]) if "model" in wide.columns else wide.clear()
        for span in sorted(last, reverse=True):
            part = both.tail(span)
            won = int((part.get_column(method) < part.get_column("model")).sum()) if part.height else 0
            if 2 * won > part.height:
                found.append((method, won, part.height))
                break
    return found
