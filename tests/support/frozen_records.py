"""Frozen forecasts from a few figures, for tests of scoring, dependence and drift."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl

from duecourse.science.forecast import Shares
from duecourse.science.forecast.frozen import ITEM_COLUMNS, WINDOW_COLUMNS, ForecastRecord
from duecourse.science.forecast.received import COLUMNS

AS_OF = date(2026, 1, 5)  # a Monday

Window = tuple[str, int, int, str, int, Sequence[int] | None]  # part, first, last, method, mean, sample


def record(
    *windows: Window,
    as_of: date = AS_OF,
    currency: str = "EUR",
    items: Sequence[tuple[object, ...]] = (),
    seed: int = 0,
) -> ForecastRecord:
    """A record with these windows; bands are the quantiles of the sample. ``items``: rows of ITEM_COLUMNS."""
    rows = []
    for part, first, last, method, mean, sample in windows:
        bands = [None] * 3 if sample is None else [round(q) for q in np.quantile(sample, (0.1, 0.5, 0.9))]
        rows.append((currency, part, first, last, method, mean, *bands, None if sample is None else list(sample)))
    return ForecastRecord(
        as_of=as_of, snapshot_id="books", model_id="model", shares=Shares(), shares_id="default", seed=seed, draws=100,
        windows=pl.DataFrame(rows, schema=dict(WINDOW_COLUMNS), orient="row"),
        items=pl.DataFrame(list(items), schema=dict(ITEM_COLUMNS), orient="row"),
    )  # fmt: skip


def came(*rows: tuple[int, int], as_of: date = AS_OF, known_before: bool = True, currency: str = "EUR") -> pl.DataFrame:
    """Cash of (days after ``as_of``, amount), each of its own invoice; of invoices the books knew before or not."""
    known = as_of - timedelta(days=10) if known_before else as_of + timedelta(days=1)
    return pl.DataFrame(
        [(f"I{n}", f"C{n}", currency, known, as_of + timedelta(day), minor) for n, (day, minor) in enumerate(rows)],
        schema=COLUMNS, orient="row",
    )  # fmt: skip
