"""Cash by legal entity, behaviour segment and customer: the draws of the whole, sorted into groups week by week.

Every group has its own P10, P50 and P90 from the same draws as the total; means add up over the groups to the cent.
Memory is bounded: of each dimension the ``LARGEST`` keys by amount stand alone, the others together as ``OTHERS``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.science.forecast.shocks import Floats, Integers

WEEK = 7
LARGEST = 500
OTHERS = "(others)"
COLUMNS = {
    "dimension": pl.String(), "key": pl.String(), "currency": pl.String(), "week_start": pl.Date(),
    "p10_minor": pl.Int64(), "p50_minor": pl.Int64(), "p90_minor": pl.Int64(), "mean_minor": pl.Int64(),
    "open_mean_minor": pl.Int64(), "new_mean_minor": pl.Int64(),
}  # fmt: skip


@dataclass(frozen=True)
class Keys:
    """Which key of one dimension each open item and each past invoice has, row by row."""

    dimension: str
    of_items: Sequence[str]
    of_past: Sequence[str]


@dataclass(frozen=True)
class GroupDraws:
    """The draws of one dimension, filled by the simulations: ``cash`` of shape (groups, draws, weeks + 1).

    The last week takes what does not come in a whole week of the forecast. ``of_items`` and ``of_past`` hold the group
    of each row. Amounts are whole minor units; floats hold them exactly below 2^53.
    """

    dimension: str
    keys: tuple[str, ...]
    of_items: Integers
    of_past: Integers
    cash: Floats = field(repr=False)

    @property
    def weeks(self) -> int:
        """Whole weeks of the forecast."""
        return int(self.cash.shape[2]) - 1

    def for_items(self, order: npt.NDArray[np.intp]) -> GroupDraws:
        """The same sums, for items that stand in another order."""
        return replace(self, of_items=self.of_items[order])

    def add(
        self, rows: slice, draws: tuple[int, int], day: npt.NDArray[np.uint8], amount_minor: npt.NDArray[np.int64]
    ) -> None:
        """Add items ``rows``, paid on ``day`` (items, draws of the span) after ``as_of``."""
        week = np.minimum(day // WEEK, self.weeks)
        self._add_at(self.of_items[rows][:, None], np.arange(*draws)[None, :], week, amount_minor)

    def add_past(
        self,
        rows: npt.NDArray[np.intp],
        draw: npt.NDArray[np.intp],
        day: Integers,
        amount_minor: npt.NDArray[np.float64],
    ) -> None:
        """Add copies of past invoices ``rows``, paid on ``day`` (rows, draws) in the draws ``draw``."""
        week = np.minimum(day // WEEK, self.weeks)
        self._add_at(self.of_past[rows][:, None], draw[None, :], week, amount_minor)

    def add_mass(
        self, rows: npt.NDArray[np.intp], amount_minor: Floats, draw: npt.NDArray[np.intp], paid: tuple[int, Floats]
    ) -> None:
        """Add past invoices ``rows`` as a mass: of each the share ``paid[1]`` (draws, days) from day ``paid[0]`` on."""
        first, on_day = paid
        week = np.minimum((first + np.arange(on_day.shape[1])) // WEEK, self.weeks)
        starts = np.flatnonzero(np.diff(week, prepend=-1))
        by_week = np.add.reduceat(on_day, starts, axis=1)
        mass = np.bincount(self.of_past[rows], amount_minor, minlength=len(self.keys))
        some = np.flatnonzero(mass)
        self.cash[np.ix_(some, draw, week[starts])] += mass[some, None, None] * by_week[None, :, :]

    def scale(self, factor: Floats) -> None:
        """Multiply every draw by its ``factor`` (draws,), then round to whole minor units."""
        self.cash[:] = np.rint(self.cash * factor[None, :, None])

    def _add_at(
        self, group: npt.NDArray[np.int64], draw: npt.NDArray[np.int64], week: npt.NDArray[np.integer],
        amount: npt.NDArray[np.int64] | npt.NDArray[np.float64],
    ) -> None:  # fmt: skip
        _, draws, width = self.cash.shape
        place = group * (draws * width) + draw * width  # the small arrays first: this runs for every item and draw
        place += week
        weight = np.broadcast_to(amount.astype(np.float64), place.shape)  # add.at is slow where it has to convert
        np.add.at(self.cash.reshape(-1), place.ravel(), weight.ravel())


@dataclass(frozen=True)
class GroupedCash:
    """One dimension of one currency: bands (groups, weeks, 3) and means (groups, weeks) in whole minor units."""

    dimension: str
    keys: tuple[str, ...]
    bands_minor: Integers
    open_mean_minor: Integers
    new_mean_minor: Integers


def empty_groups(keys: Keys, weight: tuple[Floats, Floats], *, days: int, draws: int) -> GroupDraws:
    """Groups of one dimension without cash: the ``LARGEST`` keys by ``weight`` (of items, of past invoices), sorted."""
    names = pl.Series([*keys.of_items, *keys.of_past], dtype=pl.String())
    unique, code = _distinct(names)
    total = np.bincount(code, np.concatenate(weight), minlength=len(unique))
    largest = np.sort(np.argsort(-total, kind="stable")[:LARGEST])
    chosen = [unique[place] for place in largest.tolist()]
    group = np.full(len(unique), len(chosen), dtype=np.int64)
    group[largest] = np.arange(len(chosen))
    if len(unique) > LARGEST:
        chosen.append(OTHERS)
    at = group[code]
    return GroupDraws(
        keys.dimension, tuple(chosen), at[: len(keys.of_items)], at[len(keys.of_items) :],
        np.zeros((len(chosen), draws, days // WEEK + 1)),
    )  # fmt: skip


def _distinct(names: pl.Series) -> tuple[list[str], Integers]:
    """Sorted distinct names, and the place of each name among them."""
    if not len(names):
        return [], np.zeros(0, dtype=np.int64)
    place = names.rank("dense").cast(pl.Int64).to_numpy() - 1
    return names.unique().sort().to_list(), place


def grouped_cash(groups: GroupDraws, means: tuple[Floats, Floats], totals: tuple[Integers, Integers]) -> GroupedCash:
    """Bands of the filled ``groups``; ``means`` (groups, weeks) of open and new cash add up to ``totals`` (weeks,)."""
    bands = np.empty((len(groups.keys), groups.weeks, 3), dtype=np.int64)
    for place in range(len(groups.keys)):
        quantiles = np.quantile(groups.cash[place, :, :-1], (0.1, 0.5, 0.9), axis=0)
        bands[place] = np.rint(quantiles.T).astype(np.int64)
    opened, new = (adding_up(mean, total) for mean, total in zip(means, totals, strict=True))
    return GroupedCash(groups.dimension, groups.keys, bands, opened, new)


def adding_up(parts: Floats, totals: Integers) -> Integers:
    """``parts`` (groups, weeks) in whole units whose columns add up to ``totals``, by largest remainder."""
    floor = np.floor(parts).astype(np.int64)
    order = np.argsort(floor - parts, axis=0, kind="stable")
    for week in range(parts.shape[1] if len(parts) else 0):
        each, more = divmod(int(totals[week] - floor[:, week].sum()), len(parts))
        floor[:, week] += each
        floor[order[:more, week], week] += 1
    return floor


def group_table(grouped: Mapping[str, Sequence[GroupedCash]], as_of: date) -> pl.DataFrame:
    """``cash_groups``: dimension, key, currency, week_start, bands and means; sorted in that order of columns."""
    frames = [pl.DataFrame(schema=COLUMNS)]
    for currency in sorted(grouped):
        for one in grouped[currency]:
            count, weeks = one.open_mean_minor.shape
            starts = [as_of + timedelta(days=WEEK * week) for week in range(weeks)]
            columns = {
                "dimension": [one.dimension] * (count * weeks),
                "key": [key for key in one.keys for _ in range(weeks)],
                "currency": [currency] * (count * weeks),
                "week_start": starts * count,
                **{f"p{level}_minor": one.bands_minor[:, :, place].ravel() for place, level in enumerate((10, 50, 90))},
                "mean_minor": (one.open_mean_minor + one.new_mean_minor).ravel(),
                "open_mean_minor": one.open_mean_minor.ravel(),
                "new_mean_minor": one.new_mean_minor.ravel(),
            }
            frames.append(pl.DataFrame(columns, schema=COLUMNS))
    return pl.concat(frames).sort("dimension", "key", "currency", "week_start")
