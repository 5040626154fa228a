"""One total over currencies at dated rates: the same draws, converted and added, week by week.

A rate counts as a fact of its day: used is the newest one dated on or before ``as_of`` and not older than a week.
Rates stay as they are in every draw: the band holds no uncertainty of exchange rates.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

import numpy as np
import polars as pl

from duecourse.core.errors import BadInput
from duecourse.core.money import exponent
from duecourse.ledger.findings import Finding, finding
from duecourse.ledger.schema import Column, Table
from duecourse.science.forecast.cash import WEEK, CashBands
from duecourse.science.forecast.grouping import by_week

RATES = Table("rates", ("date", "currency"), None, (
    Column("date", "date", required=True), Column("currency", "currency", required=True),
    Column("rate", required=True),
))  # fmt: skip
OLDEST_RATE_DAYS = 7
HIGHEST_RATE = Decimal(10) ** 9
NO_FX_UNCERTAINTY = "the converted total uses fixed rates: its band holds no uncertainty of exchange rates"
COLUMNS = {
    "week_start": pl.Date(), "currency": pl.String(), "p10_minor": pl.Int64(), "p50_minor": pl.Int64(),
    "p90_minor": pl.Int64(), "mean_minor": pl.Int64(), "open_mean_minor": pl.Int64(), "new_mean_minor": pl.Int64(),
}  # fmt: skip


def rate_findings(rows: pl.DataFrame) -> list[Finding]:
    """What is wrong with rows of ``RATES``: a rate that is no number above 0, two rates of one currency and day."""
    values = rows.with_columns(pl.Series("value", [_rate(text) is None for text in rows.get_column("rate")]))
    twice = pl.struct("date", "currency").is_duplicated()
    return [
        *finding(values, pl.col("value"), pl.col("rate"), table="rates", column="rate",
                 expected="how much of the base currency one unit is worth, above 0, such as 0.9215"),
        *finding(rows, twice, pl.format("{} {}", "currency", "date"), table="rates", column="currency",
                 expected="one rate per currency and day", cure="delete all but one"),
    ]  # fmt: skip


def rates_on(rows: pl.DataFrame, currencies: list[str], base: str, as_of: date) -> dict[str, Decimal]:
    """The rate to ``base`` of every currency. Raises BadInput that names each currency and day without one."""
    oldest = as_of - timedelta(days=OLDEST_RATE_DAYS)
    usable = rows.filter(pl.col("date").is_between(oldest, as_of)).sort("date")
    newest = dict(usable.select("currency", "rate").iter_rows())  # the last one of a currency wins
    missing = [currency for currency in currencies if currency != base and currency not in newest]
    if missing:
        raise BadInput(
            f"No rate of {', '.join(missing)} to {base} for {as_of}: expected one dated {oldest} to {as_of}; add it to "
            "the file of --rates, or leave out --rates for one forecast per currency."
        )
    return {currency: Decimal(1) if currency == base else Decimal(newest[currency]) for currency in currencies}


def converted_table(
    bands: Mapping[str, CashBands], rates: Mapping[str, Decimal], base: str, as_of: date
) -> pl.DataFrame:
    """``cash_converted``: week_start, currency (the base), bands and means of the sum over all currencies."""
    factors = {each: rates[each].scaleb(exponent(base) - exponent(each)) for each in bands}
    draws = sum(_weekly_draws(band) * float(factors[currency]) for currency, band in sorted(bands.items()))
    if isinstance(draws, int):  # no currency at all
        return pl.DataFrame(schema=COLUMNS)
    opened, new = (
        [_exact(bands, factors, part, week) for week in range(draws.shape[1])]
        for part in ("open_mean_minor", "new_mean_minor")
    )
    quantiles = np.rint(np.quantile(draws, (0.1, 0.5, 0.9), axis=0)).astype(np.int64)
    columns = {
        "week_start": [as_of + timedelta(days=WEEK * week) for week in range(draws.shape[1])],
        "currency": [base] * draws.shape[1],
        **dict(zip(("p10_minor", "p50_minor", "p90_minor"), quantiles, strict=True)),
        "mean_minor": [one + other for one, other in zip(opened, new, strict=True)],
        "open_mean_minor": opened,
        "new_mean_minor": new,
    }
    return pl.DataFrame(columns, schema=COLUMNS)


def _weekly_draws(band: CashBands) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    draws, days = band.draws_minor.shape
    weeks = days // WEEK
    whole = band.draws_minor[:, : weeks * WEEK].reshape(draws, weeks, WEEK).sum(axis=2)
    result: np.ndarray[tuple[int, int], np.dtype[np.float64]] = whole.astype(np.float64)
    return result


def _exact(bands: Mapping[str, CashBands], factors: Mapping[str, Decimal], part: str, week: int) -> int:
    """The sum of exact means at exact rates, rounded once, half to even."""
    total = sum(
        (Decimal(int(by_week(getattr(band, part))[week])) * factors[currency] for currency, band in bands.items()),
        Decimal(0),
    )
    return int(total.to_integral_value(rounding=ROUND_HALF_EVEN))


def _rate(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() and 0 < value <= HIGHEST_RATE else None
