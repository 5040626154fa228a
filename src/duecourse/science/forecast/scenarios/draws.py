"""Cash of the same invoices with and without a scenario: exact means by day, and draws that share every random number.

Two sources: items drawn one by one (open invoices, invoices known or planned but not issued), and the copies of past
days that stand for what is still to be issued. Both use the draws of the base forecast, so a difference between two
worlds holds only what the scenario does. Where a shock fixes the economy's normal G at g, every curve becomes
``Phi((Phi^-1(F) - sqrt(rg) g) / sqrt(1 - rg))`` and the other shocks stay as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from duecourse.science.forecast.inflow import volume_by_group
from duecourse.science.forecast.inflow_draws import (
    CopiedDay,
    Copying,
    PastInvoices,
    Shocks,
    copied_days,
    copying_of,
    drawn_amounts,
    inflow_shocks,
    largest_first,
    lateness,
    level_shock,
    paid_days,
)
from duecourse.science.forecast.issued import NOT_PAID
from duecourse.science.forecast.lags import lags_ahead
from duecourse.science.forecast.open_book import OpenItems, Shares, simulate_open_book
from duecourse.science.forecast.scenarios.moves import InvoiceRows, Move, MovedBook, Part, moved_parts, touched
from duecourse.science.forecast.scenarios.roster import Bools, customers_of
from duecourse.science.forecast.shocks import Floats, Integers

LATEST_DAY = 1_500  # days after the window that means still follow: the longest curve, terms and delay together
_CHUNK_ITEMS = 5_000


@dataclass(frozen=True)
class World:
    """One way things may go: moves in their order, and the economy's shock where it is fixed. No move: as it is."""

    name: str
    moves: tuple[Move, ...] = ()
    severity: int | None = None

    @property
    def is_base(self) -> bool:
        """Whether nothing differs from the base."""
        return not self.moves and self.severity is None


@dataclass(frozen=True)
class Run:
    """The size and the random numbers of a simulation, the same as the base forecast's."""

    days: int
    draws: int
    seed: int
    shares: Shares


@dataclass(frozen=True)
class Cash:
    """Cash of some invoices in one world, minor units: draws (draws, days), and means by day far beyond the window.

    ``mean`` and ``forgone`` (discounts) by day of payment, ``issued`` by day of issue (only what is still to be
    issued): shape (days + 1,500,). They are not rounded, so that differences of them are exact.
    """

    draws: Floats
    mean: Floats
    forgone: Floats
    issued: Floats

    def __add__(self, other: Cash) -> Cash:
        return Cash(
            self.draws + other.draws,
            self.mean + other.mean,
            self.forgone + other.forgone,
            self.issued + other.issued,
        )

    def __sub__(self, other: Cash) -> Cash:
        return Cash(
            self.draws - other.draws,
            self.mean - other.mean,
            self.forgone - other.forgone,
            self.issued - other.issued,
        )


def nothing(run: Run) -> Cash:
    """No cash at all."""
    long = run.days + LATEST_DAY
    return Cash(np.zeros((run.draws, run.days)), np.zeros(long), np.zeros(long), np.zeros(long))


def items_cash(
    items: OpenItems, rows: InvoiceRows, world: World, source: tuple[MovedBook, Run], known: Integers | None = None
) -> Cash:
    """Cash of items drawn one by one in ``world``; ``rows`` describes them row by row.

    ``known`` are their draws where somebody has drawn them already.
    """
    book, run = source
    result = nothing(run)
    if not items.invoice_id:
        return result
    shares = run.shares
    if world.severity is not None:
        shares = _without_economy(shares)
    if world.is_base:
        _add_means(result, items.amount_minor, np.diff(items.cdf, axis=1, prepend=0.0), rows)
        moved = items
    else:
        moved = _moved_items(items, rows, (world, book, run), result)
    if known is None:
        known = simulate_open_book(moved, days=run.days, draws=run.draws, seed=run.seed, shares=shares)
    return replace(result, draws=known.astype(np.float64))


def _add_means(result: Cash, amount: Integers, pmf: Floats, rows: InvoiceRows) -> None:
    reach = min(pmf.shape[1], len(result.mean))
    result.mean[:reach] += amount @ pmf[:, :reach]
    np.add.at(result.issued, np.clip(rows.issue[rows.is_new], 0, len(result.issued) - 1), amount[rows.is_new])


def _moved_items(
    items: OpenItems, rows: InvoiceRows, how: tuple[World, MovedBook, Run], result: Cash
) -> OpenItems:  # fmt: skip
    """The items with the curves and amounts of a world, part by part with the same shocks; means go to ``result``."""
    world, book, run = how
    keys = np.asarray(items.draw_key or items.invoice_id, dtype=object)
    parents = np.asarray(items.parent_id, dtype=object)
    kept: list[tuple[Integers, Integers, Floats]] = []
    for start in range(0, len(keys), _CHUNK_ITEMS):
        chunk = np.arange(start, min(start + _CHUNK_ITEMS, len(keys)))
        part_rows, amount = rows.take(chunk), items.amount_minor[chunk]
        cdf = items.cdf[chunk]
        if world.severity is not None:
            cdf = given_economy(cdf, run.shares, world.severity)
        pmf = np.diff(cdf, axis=1, prepend=0.0)
        day = np.broadcast_to(np.arange(pmf.shape[1], dtype=np.int64), pmf.shape)
        for part in moved_parts(world.moves, part_rows, day, book):
            share = np.rint(amount * part.weight).astype(np.int64)
            _scatter(result.mean, part.day, pmf * (amount * part.weight)[:, None])
            _scatter(result.forgone, part.day, pmf * (amount * part.forgone)[:, None])
            issued = amount * (part.weight + part.forgone)
            new = part_rows.is_new
            np.add.at(result.issued, np.clip(part_rows.issue[new], 0, len(result.issued) - 1), issued[new])
            kept.append((chunk, share, _moved_cdf(part, pmf, run.days)))
    chosen = np.concatenate([one[0] for one in kept])
    return OpenItems(
        invoice_id=[f"{key}" for key in keys[chosen]],
        parent_id=parents[chosen].tolist(),
        due_day=items.due_day[chosen],  # the batch keeps its name when its due date moves: the draws stay the same
        amount_minor=np.concatenate([one[1] for one in kept]),
        cdf=np.concatenate([one[2] for one in kept]),
        draw_key=keys[chosen].tolist(),
    )


def _scatter(total: Floats, day: Integers, amount: Floats) -> None:
    coming = day != NOT_PAID
    at = np.minimum(day[coming], len(total) - 1)
    total += np.bincount(at, amount[coming], minlength=len(total))


def _moved_cdf(part: Part, pmf: Floats, days: int) -> Floats:
    inside = part.day < days
    row = np.broadcast_to(np.arange(len(pmf))[:, None], pmf.shape)[inside]
    mass = np.bincount(row * days + part.day[inside], pmf[inside], minlength=len(pmf) * days)
    result: Floats = np.minimum(np.cumsum(mass.reshape(len(pmf), days), axis=1), 1.0)
    return result


def given_economy(cdf: Floats, shares: Shares, severity: int) -> Floats:
    """The curves when the economy's shock is known to be ``severity``; shape as given."""
    from scipy.special import ndtr, ndtri

    rest = np.sqrt(1.0 - shares.everybody)
    result: Floats = ndtr((ndtri(cdf) - np.sqrt(shares.everybody) * severity) / rest)
    return result


def _without_economy(shares: Shares) -> Shares:
    rest = 1.0 - shares.everybody
    return Shares(0.0, shares.customer / rest, shares.batch / rest)


def inflow_cash(
    past: PastInvoices, worlds: Sequence[World], source: tuple[MovedBook, Run], known: Integers | None = None
) -> list[Cash]:
    """Cash from invoices not issued yet in each of the worlds, drawn once for all of them.

    Only of invoices that a move of any world touches: enough for differences between them. Where that is everything,
    ``known``, the draws of the base forecast, spare those of a world that is as it is.
    """
    book, run = source
    results = [nothing(run) for _ in worlds]
    history = past.history
    if not len(history.issue_day) or not run.days:
        return results
    codes = book.roster.codes(customers_of(past).tolist())
    terms = past.due_day - history.issue_day
    simulation = _Inflow(past, codes, terms, worlds, book, run)
    _inflow_means(simulation, results)
    drawn = [not (world.is_base and simulation.everything and known is not None) for world in worlds]
    _inflow_draws(simulation, [(world, one) for world, one, by_us in zip(worlds, results, drawn, strict=True) if by_us])
    level = level_shock(history, run.draws, run.seed)
    return [
        replace(one, draws=one.draws * level[:, None] if by_us or known is None else known.astype(np.float64))
        for one, by_us in zip(results, drawn, strict=True)
    ]


@dataclass(frozen=True)
class _Inflow:
    """Everything that the two passes over the inflow share."""

    past: PastInvoices
    codes: Integers
    terms: Integers
    worlds: Sequence[World]
    book: MovedBook
    run: Run

    @cached_property
    def everything(self) -> bool:
        """Whether no invoice is left as it is: a shock, or moves that touch all from the first day on."""
        if any(world.severity is not None for world in self.worlds):
            return True
        rows = self.rows_on(np.arange(len(self.codes)), 0)
        return bool(touched((move for world in self.worlds for move in world.moves), rows).all())

    @cached_property
    def alike(self) -> Integers:
        """Past invoices that every move treats alike have the same number, shape (n,)."""
        moves = [move for world in self.worlds for move in world.moves]
        traits = np.column_stack([self.book.roster.wait, *(move.traits() for move in moves)])
        _, kind = np.unique(traits, axis=0, return_inverse=True)
        pairs = np.column_stack([kind.reshape(-1)[self.codes], self.terms])
        result: Integers = np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
        return result

    def rows_on(self, rows: Integers, ahead: int | Integers) -> InvoiceRows:
        """Past invoices ``rows`` as invoices of the day ``ahead``."""
        count = len(rows)
        issue = np.broadcast_to(np.asarray(ahead, dtype=np.int64), (count,))
        return InvoiceRows(self.codes[rows], issue, self.terms[rows], np.ones(count, dtype=bool))

    def wanted(self, rows: InvoiceRows) -> Bools:
        """Which of the rows must be drawn."""
        if self.everything:
            return np.ones(len(rows.customer), dtype=bool)
        return touched((move for world in self.worlds for move in world.moves), rows)


def _inflow_means(simulation: _Inflow, results: Sequence[Cash]) -> None:
    """Volume of each coming day convolved with the moved lags, kind by kind of customer."""
    history, run = simulation.past.history, simulation.run
    _, first = np.unique(simulation.alike, return_index=True)
    volume = volume_by_group(history, run.days, simulation.alike, len(first))
    cdf = lags_ahead(history, run.days)
    lags = np.arange(cdf.shape[1], dtype=np.int64)
    for world, result in zip(simulation.worlds, results, strict=True):
        shown = cdf if world.severity is None else given_economy(cdf, run.shares, world.severity)
        pmf = np.diff(shown, axis=1, prepend=0.0)
        for ahead in range(run.days):
            rows = simulation.rows_on(first, ahead)
            counted = (volume[:, ahead] > 0) & simulation.wanted(rows)
            if not counted.any():
                continue
            amount = volume[counted, ahead]
            day = np.broadcast_to(ahead + lags, (len(amount), len(lags)))
            for part in moved_parts(world.moves, rows.take(counted), day, simulation.book):
                mass = np.broadcast_to(pmf[ahead], part.day.shape)
                _scatter(result.mean, part.day, mass * (amount * part.weight)[:, None])
                if part.forgone.any():
                    _scatter(result.forgone, part.day, mass * (amount * part.forgone)[:, None])
                result.issued[ahead] += float(amount @ (part.weight + part.forgone))


def _inflow_draws(simulation: _Inflow, results: Sequence[tuple[World, Cash]]) -> None:
    """The copies of past days, each with the lateness of the base forecast, in every world."""
    from scipy.special import ndtri

    past, run = simulation.past, simulation.run
    history = past.history
    threshold = ndtri(lags_ahead(history, run.days))
    copying = copying_of(past, inflow_shocks(run.seed, run.shares, run.draws), run.days)
    for copy in copied_days(history, run.days, run.draws, run.seed, codes=past.own_codes):
        wanted = simulation.wanted(simulation.rows_on(copy.rows, copy.ahead))
        if not wanted.any():
            continue
        lags = threshold[copy.ahead]
        largest = largest_first(copy.amount_minor)
        single = largest[wanted[largest]]
        if len(single):
            z = lateness(copying, copy, copy.rows[single])
            _add_copies(simulation, results, (copy, single, z, lags), copying)
        if len(largest) < len(copy.rows):
            wanted[largest] = False
            if wanted.any():
                _add_mass(simulation, results, (copy, np.flatnonzero(wanted), lags), copying.shocks)


def _add_copies(
    simulation: _Inflow,
    results: Sequence[tuple[World, Cash]],
    drawn: tuple[CopiedDay, Integers, Floats, Floats],
    copying: Copying,
) -> None:
    copy, single, z, lags = drawn
    shocks = copying.shocks
    rows = simulation.rows_on(copy.rows[single], copy.ahead)
    amount, days = drawn_amounts(copying, copy, single), simulation.run.days
    economy = np.sqrt(shocks.shares.everybody)
    drawn_days: dict[int | None, Integers] = {}
    for world, result in results:
        fixed = world.severity
        if fixed not in drawn_days:
            shown = z if fixed is None else z + economy * (fixed - shocks.everybody[copy.draws])
            drawn_days[fixed] = paid_days(copying, copy, copy.rows[single], lags, shown)
        for part in moved_parts(world.moves, rows, drawn_days[fixed], simulation.book):
            inside = part.day < days
            at = np.broadcast_to(copy.draws * days, part.day.shape)[inside] + part.day[inside]
            np.add.at(result.draws.reshape(-1), at, (amount * part.weight[:, None])[inside])


def _add_mass(
    simulation: _Inflow,
    results: Sequence[tuple[World, Cash]],
    drawn: tuple[CopiedDay, Integers, Floats],
    shocks: Shocks,
) -> None:
    """Many small invoices of a day as one mass per kind of customer, as the base forecast does."""
    from scipy.special import ndtr

    copy, small, lags = drawn
    days, shares = simulation.run.days, shocks.shares
    rows = simulation.rows_on(copy.rows[small], copy.ahead)
    _, first, group = np.unique(simulation.alike[copy.rows[small]], return_index=True, return_inverse=True)
    amount = np.bincount(group, copy.amount_minor[small])
    rows = rows.take(first)
    day = np.broadcast_to(copy.ahead + np.arange(len(lags), dtype=np.int64), (len(first), len(lags)))
    for world, result in results:
        fixed = world.severity is not None
        known = np.full(len(copy.draws), world.severity) if fixed else shocks.everybody[copy.draws]
        by_lag = ndtr((lags[None, :] - np.sqrt(shares.everybody) * known[:, None]) / np.sqrt(1.0 - shares.everybody))
        on_lag = np.diff(by_lag, axis=1, prepend=0.0)  # (draws, lags)
        spread = np.zeros((len(lags), days))
        for part in moved_parts(world.moves, rows, day, simulation.book):
            inside = part.day < days
            lag = np.broadcast_to(np.arange(len(lags)), part.day.shape)[inside]
            weight = np.broadcast_to((amount * part.weight)[:, None], part.day.shape)[inside]
            np.add.at(spread, (lag, part.day[inside]), weight)
        result.draws[copy.draws] += on_lag @ spread
