"""``scenario_daily`` and ``scenario_weekly``: base, scenario and difference, each with its band from shared draws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl

from duecourse.science.forecast.scenarios.compare import Comparison, ScenarioCash
from duecourse.science.forecast.shocks import Floats, Integers

WEEK = 7
SIDES = ("base", "scenario", "difference")
VALUES = ("p10_minor", "p50_minor", "p90_minor", "mean_minor")
LEVELS = (0.1, 0.5, 0.9)


def scenario_tables(results: Sequence[ScenarioCash], as_of: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """``scenario_daily`` (scenario, end, date, currency ...) and ``scenario_weekly`` (week_start instead of date).

    For each of base, scenario and difference: p10_minor, p50_minor, p90_minor, mean_minor. Means add up over days and
    are base + difference = scenario; bands are not: each comes from the draws.
    """
    daily = _table(results, as_of, 1, "date")
    return daily, _table(results, as_of, WEEK, "week_start")


def bands(draws_minor: Integers) -> Integers:
    """P10, P50 and P90 over draws (n, windows), whole minor units, shape (3, windows); linear (type 7)."""
    result: Integers = np.rint(np.quantile(draws_minor, LEVELS, axis=0)).astype(np.int64)
    return result


def _table(results: Iterable[ScenarioCash], as_of: date, width: int, name: str) -> pl.DataFrame:
    columns = [f"{side}_{value}" for side in SIDES for value in VALUES]
    schema = {
        "scenario": pl.String(), "end": pl.String(), name: pl.Date(), "currency": pl.String(),
        **dict.fromkeys(columns, pl.Int64()),
    }  # fmt: skip
    frames = [pl.DataFrame(schema=schema)]
    for result in results:
        title = result.resolved.scenario.name
        frames += [
            pl.DataFrame(
                {
                    "scenario": [title] * len(values),
                    "end": [one.end] * len(values),
                    name: [as_of + timedelta(days=width * place) for place in range(len(values))],
                    "currency": [one.currency] * len(values),
                    **{column: values[:, place] for place, column in enumerate(columns)},
                },
                schema=schema,
            )
            for one in result.comparisons
            for values in (_windows(one, width),)
        ]
    return pl.concat(frames)


def _windows(one: Comparison, width: int) -> Integers:
    """The columns of the table for windows of ``width`` days, shape (windows, 12)."""
    sides = (
        (one.base_draws_minor, one.base_mean_minor),
        (one.draws_minor, one.mean_minor),
        (one.difference_draws_minor, one.difference_mean_minor),
    )
    blocks = []
    for draws, mean in sides:
        sums = by_window(draws, width)
        blocks += [bands(sums), by_window(mean[None, :], width)]
    return np.concatenate(blocks).T


def by_window(daily: Integers | Floats, width: int) -> Integers:
    """Whole windows of ``width`` days summed, shape (n, windows); days that fill no window are left out."""
    windows = daily.shape[1] // width
    result: Integers = daily[:, : windows * width].reshape(len(daily), windows, width).sum(axis=2)
    return result
