"""From a scenario as written to the worlds it means in one book: names found, dates checked, ranges given two ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import product

import numpy as np
import polars as pl

from duecourse.core.calendar import epoch_day
from duecourse.core.errors import BadInput, Problem
from duecourse.ledger.as_of import View
from duecourse.science.forecast.inflow_draws import PastInvoices
from duecourse.science.forecast.scenarios import moves as acts
from duecourse.science.forecast.scenarios.draws import World
from duecourse.science.forecast.scenarios.economics import discount_history, take_up_range
from duecourse.science.forecast.scenarios.measured import refuse_unmeasured
from duecourse.science.forecast.scenarios.moves import Move, MovedBook
from duecourse.science.forecast.scenarios.planned import PlannedItems, planned_items
from duecourse.science.forecast.scenarios.roster import Bools, Roster, UnknownCustomer, customers_of, roster_of
from duecourse.science.forecast.scenarios.steps import (
    Collections,
    Customers,
    Delay,
    Discount,
    Loss,
    NewBusiness,
    Scenario,
    Shock,
    Step,
    Terms,
    Volume,
)
from duecourse.science.forecast.shocks import Floats

TOP_WEEKS = 26  # the largest customers are those with the largest invoiced amount of half a year
SINGLE = "single"


@dataclass(frozen=True)
class Resolved:
    """What a scenario means in a book: its worlds (one per end of its ranges), planned invoices, and notes in words.

    ``members`` holds whom each step is about, by customer code; ``take_up`` the range of each discount step.
    """

    scenario: Scenario
    worlds: tuple[World, ...]
    planned: Sequence[Mapping[str, PlannedItems]]
    book: MovedBook
    members: tuple[Bools, ...]
    take_up: Mapping[str, tuple[Floats, Floats]]
    notes: tuple[str, ...]


@dataclass
class _Resolving:
    """The scenario on its way: the book it meets, and what was found so far."""

    scenario: Scenario
    view: View
    past: Mapping[str, PastInvoices]
    roster: Roster
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    take_up: dict[str, tuple[Floats, Floats]] = field(default_factory=dict)

    def problem(self, place: str, value: str | None, expected: str, cure: str = "") -> None:
        self.problems.append(Problem(f"{self.scenario.file}, {place}", None, None, value, expected, cure))

    def day(self, start: date | None, place: str, key: str = "from") -> int:
        """Days from ``as_of`` to ``start``; a day before is a problem."""
        if start is None:
            return 0
        if start < self.view.as_of:
            expected = f"a date on or after {self.view.as_of}, the day of the forecast"
            self.problem(f"{place}, key {key}", start.isoformat(), expected, "what happened before is in the books")
        return (start - self.view.as_of).days

    def members(self, customers: Customers, place: str, key: str = "customers") -> Bools:
        """Whom a step is about, by code; unknown names are problems."""
        chosen = np.full(len(self.roster.ids), customers.everybody)
        for name in customers.names:
            try:
                chosen[self.roster.find(name)] = True
            except UnknownCustomer as error:
                self.problem(f"{place}, key {key}", error.name, "a customer of these books", error.cure)
        if customers.top:
            chosen[self._largest(customers.top, place)] = True
        return chosen

    def _largest(self, count: int, place: str) -> list[int]:
        found: list[int] = []
        for currency, past in sorted(self.past.items()):
            recent = past.history.issue_day >= past.history.as_of - TOP_WEEKS * 7
            codes = self.roster.codes(customers_of(past)[recent].tolist())
            total = np.bincount(codes, past.history.amount_minor[recent], minlength=len(self.roster.ids))
            largest = [int(code) for code in np.argsort(-total, kind="stable")[:count] if total[code] > 0]
            names = ", ".join(self.roster.names[code] for code in largest)
            self.notes.append(f"{place}: largest by what was invoiced in {TOP_WEEKS} weeks in {currency}: {names}")
            found += largest
        return found


def resolve(scenario: Scenario, view: View, past: Mapping[str, PastInvoices], *, days: int) -> Resolved:
    """The worlds of ``scenario`` in the book known at ``view.as_of``.

    Raises BadInput for unknown customers, dates before ``as_of``, currencies and terms that the book does not have, and
    NotEnoughData for more contact whose effect was not measured.
    """
    prospects = [one.customer for step in scenario.steps if isinstance(step, NewBusiness) for one in step.invoices]
    roster = roster_of(view, past)
    at_work = _Resolving(scenario, view, past, roster.with_prospects(_fresh(roster, prospects)))
    if sum(isinstance(step, Shock) for step in scenario.steps) > 1:
        at_work.problem("step", None, "at most one shock: it fixes one number for everybody")
    sides = [_sides(step, at_work) for step in scenario.steps]
    members = (
        tuple(at_work.members(_customers(step), step.place) for step in scenario.steps) if not at_work.problems else ()
    )
    for step in scenario.steps:
        _check(step, at_work)
    if at_work.problems:
        what = f"{scenario.file}: this scenario does not fit these books; nothing was computed"
        raise BadInput(what, tuple(dict.fromkeys(at_work.problems)))
    book = MovedBook(at_work.roster, epoch_day(view.as_of))
    planned = [
        planned_items(step, past, book, view.as_of, days) for step in scenario.steps if isinstance(step, NewBusiness)
    ]
    return Resolved(
        scenario, _worlds(sides, scenario), planned, book, members, at_work.take_up, tuple(dict.fromkeys(at_work.notes))
    )


def _fresh(roster: Roster, names: Sequence[str]) -> list[str]:
    """Names of planned invoices that no customer of the book bears."""
    fresh = []
    for name in names:
        try:
            roster.find(name)
        except UnknownCustomer:
            fresh.append(name)
    return fresh


def _customers(step: Step) -> Customers:
    if isinstance(step, Shock):
        return Customers()
    if isinstance(step, NewBusiness):
        return Customers(names=tuple(dict.fromkeys(one.customer for one in step.invoices)))
    return step.customers


def _worlds(sides: Sequence[Sequence[tuple[str, Sequence[Move]]]], scenario: Scenario) -> tuple[World, ...]:
    """One world per combination of ends; steps with one end only add no name, steps of one range share their end."""
    severity = next((step.severity for step in scenario.steps if isinstance(step, Shock)), None)
    worlds: dict[str, World] = {}
    for combination in product(*sides):
        ends = [end for end, _ in combination if end]
        if len({end.split("_")[0] for end in ends}) < len(set(ends)):
            continue  # the low end of one step beside the high end of another of the same range
        name = "+".join(dict.fromkeys(ends)) or SINGLE
        acting = tuple(move for _, moves in combination for move in moves)
        if all(isinstance(move, acts.NewTerms) and not move.keeps_lateness for move in acting):
            acting = ()  # only the due dates move: nothing is paid on another day
        worlds.setdefault(name, World(name, acting, severity))
    return tuple(worlds.values())


def _sides(step: Step, at_work: _Resolving) -> list[tuple[str, Sequence[Move]]]:
    """The ends of one step with their moves; the name of an end is empty where there is only one."""
    member = at_work.members(_customers(step), step.place) if not isinstance(step, NewBusiness) else None
    match step:
        case Terms():
            return _terms(step, _given(member), at_work)
        case Discount():
            return _discount(step, _given(member), at_work)
        case Delay():
            return [("", [acts.LaterPayments(_given(member), at_work.day(step.start, step.place), step.days)])]
        case Loss():
            start, never = at_work.day(step.start, step.place), step.open_invoices == "never"
            return [("", [acts.NothingMore(_given(member), start, orders_nothing=True, pays_nothing=never)])]
        case Shock():
            return _shock(step, _given(member), at_work)
        case Volume():
            return [("", [acts.MoreInvoiced(_given(member), at_work.day(step.start, step.place), step.factor)])]
        case Collections():
            return _collections(step, _given(member), at_work)
    return [("", [])]


def _given(member: Bools | None) -> Bools:
    assert member is not None  # noqa: S101 - only new business has none
    return member


def _terms(step: Terms, member: Bools, at_work: _Resolving) -> list[tuple[str, Sequence[Move]]]:
    start = at_work.day(step.start, step.place)
    ends = (("due", True), ("issue", False))
    return [
        (end, [acts.NewTerms(member, start, step.to_net, step.from_net, step.open_invoices, keeps_lateness=keeps)])
        for end, keeps in ends
    ]


def _discount(step: Discount, member: Bools, at_work: _Resolving) -> list[tuple[str, Sequence[Move]]]:
    start, count = at_work.day(step.start, step.place), len(member)
    if step.take_up is not None:
        low, high = (np.full(count, share) for share in step.take_up)
    else:
        past = discount_history(at_work.view)
        code = at_work.roster.codes(past.get_column("customer_id").to_list())
        offered, taken = np.zeros(count), np.zeros(count)
        offered[code], taken[code] = past.get_column("offered").to_numpy(), past.get_column("taken").to_numpy()
        low, high = take_up_range(offered, taken)
        known = int((offered[member] > 0).sum())
        if known:
            at_work.notes.append(
                f"{step.place}: {known} of these customers had discounts before; their curves already hold those they "
                "took, so what this discount adds is overstated for them"
            )
    at_work.take_up[step.place] = (low, high)
    ends = [("", low)] if np.array_equal(low, high) else [("take_up_low", low), ("take_up_high", high)]
    return [(end, [acts.EarlyPayment(member, start, step.percent / 100, step.days, take_up)]) for end, take_up in ends]


def _shock(step: Shock, everybody: Bools, at_work: _Resolving) -> list[tuple[str, Sequence[Move]]]:
    moves: list[Move] = []
    if step.inflow_factor != 1.0:
        moves.append(acts.MoreInvoiced(everybody, 0, step.inflow_factor))
    if step.never:
        never = at_work.members(Customers(names=step.never), step.place, "never")
        moves.append(acts.NothingMore(never, 0, orders_nothing=False, pays_nothing=True))
    return [("", moves)]


def _collections(step: Collections, member: Bools, at_work: _Resolving) -> list[tuple[str, Sequence[Move]]]:
    uplift = refuse_unmeasured(step, at_work.scenario.file)
    start = at_work.day(step.start, step.place)
    low, _, high = (round(days) for days in uplift.days_earlier)
    if low == high:
        return [("", [acts.EarlierWhenLate(member, start, low)])]
    ends = (("uplift_low", low), ("uplift_high", high))
    return [(end, [acts.EarlierWhenLate(member, start, days)]) for end, days in ends]


def _check(step: Step, at_work: _Resolving) -> None:
    if isinstance(step, NewBusiness):
        _check_business(step, at_work)
    elif isinstance(step, Terms) and step.from_net is not None and not at_work.problems:
        _check_terms(step, at_work)
    elif isinstance(step, Discount) and step.currency is not None and step.currency not in at_work.past:
        at_work.problem(f"{step.place}, key currency", step.currency, f"one of {', '.join(sorted(at_work.past))}")


def _check_business(step: NewBusiness, at_work: _Resolving) -> None:
    currencies = sorted(at_work.past)
    for one in step.invoices:
        at_work.day(one.issued_on, step.place, "first_issue" if "prospects" in step.place else "issued_on")
        if one.currency not in at_work.past:
            at_work.problem(
                f"{step.place}, key currency", one.currency, f"one of {', '.join(currencies)}",
                "nobody paid in another currency yet, so nothing says how late it comes",
            )  # fmt: skip
    if step.like is not None:
        at_work.members(Customers(names=(step.like,)), step.place, "like")


def _check_terms(step: Terms, at_work: _Resolving) -> None:
    """Terms that none of these customers has would change nothing, silently."""
    member = at_work.members(step.customers, step.place)
    own = {one.customer: one.terms_days for other in at_work.scenario.steps if isinstance(other, NewBusiness)
           for one in other.invoices}  # fmt: skip
    planned = [terms for name, terms in own.items() if any(member[code] for code in at_work.roster.find(name))]
    issued = [_terms_of(one, member, at_work.roster) for one in at_work.past.values()]
    terms = np.concatenate([*issued, np.array(planned, dtype=np.int64)])
    if (terms == step.from_net).any():
        return
    counts = pl.Series("net", terms).value_counts(sort=True).head(5)
    shown = ", ".join(f"net {net} ({count})" for net, count in counts.iter_rows()) or "no invoice at all"
    at_work.problem(
        f"{step.place}, key from_net", str(step.from_net), f"terms that these customers have: {shown}",
        "leave from_net out to move every invoice to the new terms",
    )  # fmt: skip


def _terms_of(past: PastInvoices, member: Bools, roster: Roster) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    chosen = member[roster.codes(customers_of(past).tolist())]
    result: np.ndarray[tuple[int], np.dtype[np.int64]] = (past.due_day - past.history.issue_day)[chosen]
    return result
