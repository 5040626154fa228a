"""A scenario beside the base forecast: for every world the base, the scenario, and their difference draw by draw.

Base and scenario share every random number, so the difference is exactly 0 where the scenario changes nothing, and its
own P10 and P90 hold only what the scenario does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from duecourse.core.calendar import epoch_day
from duecourse.ledger.as_of import View
from duecourse.science.forecast.book import open_items, past_invoices
from duecourse.science.forecast.cash import CashBands, Extras, in_whole_units, no_items, no_past
from duecourse.science.forecast.inflow_draws import PastInvoices
from duecourse.science.forecast.open_book import OpenItems, Shares
from duecourse.science.forecast.scenarios.draws import Cash, Run, World, inflow_cash, items_cash, nothing
from duecourse.science.forecast.scenarios.moves import TERMS_UNKNOWN, InvoiceRows, MovedBook, touched
from duecourse.science.forecast.scenarios.planned import PlannedItems
from duecourse.science.forecast.scenarios.resolve import Resolved, resolve
from duecourse.science.forecast.scenarios.roster import Bools
from duecourse.science.forecast.scenarios.steps import Scenario
from duecourse.science.forecast.shocks import Integers

AS_IT_IS = World("base")
NO_DAY = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Comparison:
    """One currency in one world: draws (draws, days) and means by day (days,) of base and scenario, minor units.

    ``change`` holds the unrounded means of the difference far beyond the window: cash, discounts forgone, and what is
    issued, by day after ``as_of``.
    """

    currency: str
    end: str
    base_draws_minor: Integers
    base_mean_minor: Integers
    draws_minor: Integers
    mean_minor: Integers
    change: Cash

    @property
    def difference_draws_minor(self) -> Integers:
        """Scenario less base, draw by draw, shape (draws, days)."""
        return self.draws_minor - self.base_draws_minor

    @property
    def difference_mean_minor(self) -> Integers:
        """Scenario less base, by day, shape (days,)."""
        return self.mean_minor - self.base_mean_minor


@dataclass(frozen=True)
class ScenarioCash:
    """A scenario in a book: what it was resolved to, and one comparison per currency and end of its range."""

    resolved: Resolved
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True)
class BaseBook:
    """The book of a base forecast, as ``forecast_book`` saw it: curves, bands by currency, and its random numbers."""

    view: View
    items: Mapping[str, OpenItems]
    past: Mapping[str, PastInvoices]
    bands: Mapping[str, CashBands]
    seed: int
    shares: Shares

    @classmethod
    def of(
        cls,
        view: View,
        curves: pl.DataFrame,
        bands: Mapping[str, CashBands],
        *,
        seed: int,
        shares: Shares | None = None,
        extras: Extras | None = None,
    ) -> BaseBook:
        """From what ``forecast_book`` was given and what it gave."""
        extras = extras or Extras()
        items = open_items(view, curves, payable=extras.payable)
        return cls(view, items, past_invoices(view, holidays=extras.holidays), bands, seed, shares or Shares())

    @property
    def days(self) -> int:
        """Days of the forecast."""
        return min((len(band.open_mean_minor) for band in self.bands.values()), default=0)


def compare_scenario(base: BaseBook, scenario: Scenario) -> ScenarioCash:
    """``scenario`` against the base forecast, currency by currency and for each end of its range.

    Raises BadInput where it does not fit the book, NotEnoughData where the book cannot tell.
    """
    resolved = resolve(scenario, base.view, base.past, days=base.days)
    issued = dict(base.view.table("invoices").select("invoice_id", "issued_on").iter_rows())
    found: list[Comparison] = []
    for currency in sorted(base.bands):
        source = _Source.of(base, resolved, currency, issued)
        added = source.planned_cash(AS_IT_IS, in_base=True)
        band = base.bands[currency]
        start = band.draws_minor + np.rint(added.draws).astype(np.int64)
        usual = (band.open_mean_minor + band.new_mean_minor).astype(np.float64)
        mean = in_whole_units(usual + added.mean[: source.run.days])
        for world, change in zip(resolved.worlds, source.changes(resolved.worlds, band), strict=True):
            draws = np.maximum(start + np.rint(change.draws).astype(np.int64), 0)
            moved = np.maximum(mean + change.mean[: source.run.days], 0.0)
            found.append(Comparison(currency, world.name, start, mean, draws, in_whole_units(moved), change))
    return ScenarioCash(resolved, tuple(found))


@dataclass(frozen=True)
class _Source:
    """Everything that may bring cash in one currency."""

    items: OpenItems
    rows: InvoiceRows
    past: PastInvoices
    planned: Sequence[PlannedItems]
    book: MovedBook
    run: Run

    @classmethod
    def of(cls, base: BaseBook, resolved: Resolved, currency: str, issued: Mapping[str, object]) -> _Source:
        """The parts of one currency, with the rows that describe its open items."""
        items = base.items.get(currency, no_items(base.days))
        return cls(
            items,
            _rows_of(items, resolved.book, issued),
            base.past.get(currency, no_past(base.view.as_of)),
            [one[currency] for one in resolved.planned if currency in one],
            resolved.book,
            Run(base.days, len(base.bands[currency].draws_minor), base.seed, base.shares),
        )

    def planned_cash(self, world: World, *, in_base: bool) -> Cash:
        """Cash of planned invoices in ``world``; those of the base alone, or all."""
        total = nothing(self.run)
        for one in self.planned:
            if one.in_base or not in_base:
                total = total + items_cash(one.items, one.rows, world, (self.book, self.run))
        return total

    def changes(self, worlds: Sequence[World], band: CashBands) -> list[Cash]:
        """World less base for every world."""
        in_base = self.planned_cash(AS_IT_IS, in_base=True)
        opened, coming = self._open_changes(worlds, band), self._inflow_changes(worlds, band)
        return [
            one + two + (self.planned_cash(world, in_base=False) - in_base)
            for world, one, two in zip(worlds, opened, coming, strict=True)
        ]

    def _open_changes(self, worlds: Sequence[World], band: CashBands) -> list[Cash]:
        chosen = np.zeros(len(self.items.invoice_id), dtype=bool)
        for world in worlds:
            chosen |= (world.severity is not None) | touched(world.moves, self.rows)
        if not chosen.any():
            return [nothing(self.run) for _ in worlds]
        known = band.open_draws_minor
        if known is not None and chosen.mean() > 0.5:  # then all of them cost less than these twice
            chosen[:] = True
        items, rows = _take(self.items, chosen), self.rows.take(chosen)
        source = (self.book, self.run)
        base = items_cash(items, rows, AS_IT_IS, source, known if chosen.all() else None)
        return [nothing(self.run) if one.is_base else items_cash(items, rows, one, source) - base for one in worlds]

    def _inflow_changes(self, worlds: Sequence[World], band: CashBands) -> list[Cash]:
        acting = [world for world in worlds if not world.is_base]
        if not acting:
            return [nothing(self.run) for _ in worlds]
        known = None if band.open_draws_minor is None else band.draws_minor - band.open_draws_minor
        base, *moved = inflow_cash(self.past, [AS_IT_IS, *acting], (self.book, self.run), known)
        changed = iter(moved)
        return [nothing(self.run) if world.is_base else next(changed) - base for world in worlds]


def _rows_of(items: OpenItems, book: MovedBook, issued: Mapping[str, object]) -> InvoiceRows:
    """What the moves need to know of open items; instalments and disputed parts do not follow the invoice's terms."""
    count = len(items.invoice_id)
    is_part = np.array([key != own for key, own in zip(items.draw_key, items.invoice_id, strict=False)], dtype=bool)
    unknown = is_part if len(is_part) else np.zeros(count, dtype=bool)
    days = (issued.get(own) for own in items.invoice_id)
    issue = np.array([epoch_day(day) if isinstance(day, date) else NO_DAY for day in days], dtype=np.int64)
    unknown |= issue == NO_DAY
    return InvoiceRows(
        customer=book.roster.codes(items.customer_id or items.parent_id),
        issue=np.where(issue == NO_DAY, items.due_day, issue) - book.as_of,
        terms=np.where(unknown, TERMS_UNKNOWN, items.due_day - issue),
        is_new=np.zeros(count, dtype=bool) if items.is_issued is None else ~items.is_issued,
    )


def _take(items: OpenItems, chosen: Bools) -> OpenItems:
    if chosen.all():
        return items
    rows = np.flatnonzero(chosen).tolist()
    return OpenItems(
        invoice_id=[items.invoice_id[row] for row in rows],
        parent_id=[items.parent_id[row] for row in rows],
        due_day=items.due_day[rows],
        amount_minor=items.amount_minor[rows],
        cdf=items.cdf[rows],
        draw_key=[items.draw_key[row] for row in rows] if items.draw_key else (),
    )
