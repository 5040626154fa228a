"""Each measure beside the SQL oracle: what is to be compared, for the tests and for the benchmark of 1,000 ledgers.

A case gives parts: a result frame, the level columns of its rows, the columns to compare, and what the oracle says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import isclose
from typing import Any

import polars as pl

from duecourse.ledger import metrics
from duecourse.ledger.metrics import Books
from duecourse.ledger.metrics.books import CUSTOMER_LEVELS, LEVELS, add_months
from support.metrics_oracle import Answer, Oracle
from support.random_books import AS_OF

GROUPINGS: tuple[tuple[str, ...], ...] = (
    (), ("entity_id",), ("segment",), ("customer_id",), ("parent_id", "customer_id"),
)  # fmt: skip
PAST = date(2026, 1, 9)
HOURLY_COST_MINOR = 6_000
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Part:
    """One frame and what it must equal; ``keys`` are the columns that name a row, currency last where there is one."""

    frame: pl.DataFrame
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    expected: Answer


@dataclass(frozen=True)
class Ask:
    """One ledger, its oracle, a day and a level."""

    books: Books
    truth: Oracle
    at: date
    by: tuple[str, ...]

    def part(self, frame: pl.DataFrame, columns: Sequence[str], expected: Answer) -> Part:
        """A frame with one row per group and currency."""
        return Part(frame, (*self.by, "currency"), tuple(columns), expected)

    @property
    def here(self) -> dict[str, Any]:
        """The arguments that every measure takes."""
        return {"at": self.at, "by": self.by}


Case = Callable[[Ask], Iterator[Part]]


def differences(part: Part) -> list[str]:
    """Where frame and oracle differ: integers must be equal, fractions to 1e-9; nothing where the oracle has nothing.

    A row that one side lacks counts as zeros and blanks.
    """
    width, names = len(part.keys), part.columns
    found = {row[:width]: row[width:] for row in part.frame.select(*part.keys, *names).iter_rows()}
    empty = (None,) * len(names)
    wrong = []
    for group in found.keys() | part.expected.keys():
        ours, theirs = found.get(group, empty), part.expected.get(group, empty)
        for name, mine, other in zip(names, ours, theirs, strict=True):
            if not _same(mine, other):
                wrong.append(f"{name} of {group}: {mine!r}, SQL says {other!r}")
    return wrong


def _same(mine: Any, other: Any) -> bool:
    if isinstance(mine, float) or isinstance(other, float):
        return mine is not None and other is not None and isclose(mine, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool((mine or 0) == (other or 0))


def divide(top: Any, bottom: Any, factor: float = 1.0) -> float | None:
    """``top / bottom * factor``, None where there is nothing to divide by."""
    return top / bottom * factor if bottom and bottom > 0 else None


def covered(books: Books, day: date) -> bool:
    """Whether the books begin at most a week after ``day``."""
    first = books.first_issued_on()
    return first is not None and (first - day).days <= 7


def dso_simple_best_possible_and_delinquent(ask: Ask) -> Iterator[Part]:
    start = ask.at - timedelta(days=90)
    owed, sold = ask.truth.receivables(ask.by, ask.at), ask.truth.sales(ask.by, start, ask.at)
    known = covered(ask.books, start)
    measures = (
        (metrics.dso_simple, "dso_days", lambda ar, _past: ar),
        (metrics.best_possible_dso, "best_possible_dso_days", lambda ar, past: ar - past),
        (metrics.average_days_delinquent, "average_days_delinquent_days", lambda _ar, past: past),
    )
    for measure, column, top in measures:
        frame = measure(ask.books, **ask.here)
        yield ask.part(frame, ("receivable_minor", "past_due_minor"), owed)
        yield ask.part(frame, ("sales_minor",), sold)
        days = {group: (divide(top(*row), sold[group][0], 90) if known else None,) for group, row in owed.items()}
        yield ask.part(frame, (column,), days)


def dso_countback(ask: Ask) -> Iterator[Part]:
    first = ask.books.first_issued_on()
    expected = ask.truth.countback(ask.by, ask.at) if first and first < ask.at else {}
    yield ask.part(metrics.dso_countback(ask.books, **ask.here), ("dso_days",), expected)


def dso_true(ask: Ask) -> Iterator[Part]:
    yield ask.part(metrics.dso_true(ask.books, **ask.here), ("dso_true_days",), ask.truth.true_dso(ask.by, ask.at))


def turnover(ask: Ask) -> Iterator[Part]:
    points = [ask.at]
    while len(points) < 13:
        points.append((points[-1] - timedelta(days=1)).replace(day=1))
    owed = [ask.truth.receivables(ask.by, point) for point in points]
    start = add_months(ask.at, -12)
    known = covered(ask.books, start)
    expected: Answer = {}
    for group, (sales,) in ask.truth.sales(ask.by, start, ask.at).items():
        expected[group] = (divide(sales, sum(each[group][0] for each in owed) / 13) if known else None,)
    yield ask.part(metrics.receivables_turnover(ask.books, **ask.here), ("turnover",), expected)


def past_due_share(ask: Ask) -> Iterator[Part]:
    owed = ask.truth.receivables(ask.by, ask.at)
    expected: Answer = {group: (past, divide(past, ar)) for group, (ar, past) in owed.items()}
    columns = ("past_due_minor", "past_due_share")
    yield ask.part(metrics.past_due_share(ask.books, **ask.here), columns, expected)


def ageing(ask: Ask) -> Iterator[Part]:
    frame = metrics.ageing(ask.books, **ask.here)
    answer = ask.truth.ageing(ask.by, ask.at)
    total = {group: sum(amount or 0 for amount in row[1::2]) for group, row in answer.items()}
    for order, bucket in enumerate(metrics.BUCKETS):
        expected: Answer = {
            group: (*row[2 * order : 2 * order + 2], (row[2 * order + 1] or 0) / total[group])
            for group, row in answer.items()
        }
        yield ask.part(frame.filter(bucket=bucket), ("invoices", "open_minor", "share"), expected)


def roll_rates(ask: Ask) -> Iterator[Part]:
    frame = metrics.roll_rates(ask.books, **ask.here)
    answer = ask.truth.rolls(ask.by, ask.at)
    for order, bucket in enumerate(metrics.BUCKETS[:4]):
        pairs = {group: row[2 * order : 2 * order + 2] for group, row in answer.items()}
        expected: Answer = {group: (old, new, divide(new, old)) for group, (old, new) in pairs.items()}
        yield ask.part(frame.filter(from_bucket=bucket), ("from_minor", "to_minor", "roll_rate"), expected)


def cure_rate(ask: Ask) -> Iterator[Part]:
    answer = ask.truth.cure(ask.by, ask.at)
    expected: Answer = {group: (owed, cured, divide(cured, owed)) for group, (owed, cured) in answer.items()}
    yield ask.part(metrics.cure_rate(ask.books, **ask.here), ("delinquent_minor", "cured_minor", "cure_rate"), expected)


def at_risk_rate(ask: Ask) -> Iterator[Part]:
    columns = ("invoices", "reached", "amount_minor", "reached_minor", "at_risk_count_share", "at_risk_share")
    for more in ((), ("due_month",)):
        answer = ask.truth.risk((*ask.by, *more), ask.at)
        expected: Answer = {
            group: (*row, divide(row[1], row[0]) if row[2] else None, divide(row[3], row[2]))
            for group, row in answer.items()
        }
        frame = metrics.at_risk_rate(ask.books, **ask.here, each_month=bool(more))
        found = frame.with_columns(pl.when(pl.col("amount_minor") > 0).then("at_risk_count_share"))
        yield Part(found, (*ask.by, *more, "currency"), columns, expected)


def cei(ask: Ask) -> Iterator[Part]:
    start = add_months(ask.at, -1)
    begin, end = ask.truth.receivables(ask.by, start), ask.truth.receivables(ask.by, ask.at)
    sold = ask.truth.sales(ask.by, start, ask.at)
    expected: Answer = {}
    for group, (ar, past) in end.items():
        to_collect = begin[group][0] + sold[group][0]
        base = to_collect - (ar - past)
        small = base <= 0 or base < 0.05 * begin[group][0]
        expected[group] = (None if small else (to_collect - ar) / base * 100,)
    yield ask.part(metrics.cei(ask.books, **ask.here), ("cei_percent",), expected)


def concentration(ask: Ask) -> Iterator[Part]:
    answer = ask.truth.shares(ask.by, ask.at)
    top: Answer = {group: (three, divide(three, total)) for group, (total, three, _) in answer.items()}
    yield ask.part(metrics.top_share(ask.books, **ask.here, top=3), ("top_minor", "top_share"), top)
    squares: Answer = {group: (row[2],) for group, row in answer.items()}
    yield ask.part(metrics.hhi(ask.books, **ask.here), ("hhi",), squares)


def days_to_pay_and_beyond_terms(ask: Ask) -> Iterator[Part]:
    answer = ask.truth.paid(ask.by, add_months(ask.at, -12), ask.at)
    pay: Answer = {group: row[:3] for group, row in answer.items()}
    beyond: Answer = {group: (row[3],) for group, row in answer.items()}
    columns = ("cleared", "cleared_minor", "days_to_pay_days")
    yield ask.part(metrics.days_to_pay(ask.books, **ask.here), columns, pay)
    yield ask.part(metrics.days_beyond_terms(ask.books, **ask.here), ("days_beyond_terms_days",), beyond)


def kaplan_meier_median(ask: Ask) -> Iterator[Part]:
    expected = ask.truth.survival(ask.by, add_months(ask.at, -12), ask.at)
    yield ask.part(metrics.kaplan_meier_median(ask.books, **ask.here), ("km_median_days",), expected)


def late_share(ask: Ask) -> Iterator[Part]:
    columns = ("invoices", "late_invoices", "amount_minor", "late_minor", "late_count_share", "late_share")
    for more in metrics.LATE_STEPS:
        answer = ask.truth.late(ask.by, add_months(ask.at, -12), ask.at, more)
        expected: Answer = {
            group: (*row, divide(row[1], row[0]) if row[2] else None, divide(row[3], row[2]))
            for group, row in answer.items()
        }
        yield ask.part(metrics.late_share(ask.books, **ask.here, more_than_days=more), columns, expected)
        if more == 0:
            items = metrics.late_items(ask.books, at=ask.at).group_by([*ask.by, "currency"])
            late: Answer = {group: (row[3],) for group, row in answer.items()}
            yield ask.part(items.agg(pl.col("late_minor").sum()), ("late_minor",), late)


def dilution_and_bad_debt(ask: Ask) -> Iterator[Part]:
    start = add_months(ask.at, -12)
    sold = ask.truth.sales(ask.by, start, ask.at)
    answer = ask.truth.dilution(ask.by, start, ask.at)
    other = ("seen_credits", "seen_disputes", "seen_allocations where source_kind in ('credit', 'write_off')")
    known = any(ask.truth.holds(rows) for rows in other)  # books that hold nothing but cash say nothing of dilution
    expected: Answer = {
        group: (*row, divide(sum(row), sold.get(group, (0,))[0]) if known else None) for group, row in answer.items()
    }
    columns = ("credited_minor", "deducted_minor", "written_off_minor", "dilution")
    yield ask.part(metrics.dilution(ask.books, **ask.here), columns, expected)
    booked = ask.truth.holds("seen_allocations where source_kind = 'write_off'")
    bad: Answer = {
        group: (row[2], divide(row[2], sold.get(group, (0,))[0]) if booked else None) for group, row in answer.items()
    }
    yield ask.part(metrics.bad_debt_ratio(ask.books, **ask.here), ("written_off_minor", "bad_debt_ratio"), bad)


def disputes(ask: Ask) -> Iterator[Part]:
    answer = ask.truth.disputes(ask.by, add_months(ask.at, -12), ask.at)
    cycle: Answer = {group: row[:4] for group, row in answer.items()}
    columns = ("closed", "dispute_days_median", "dispute_days_p90", "favour_ratio")
    yield ask.part(metrics.dispute_cycle(ask.books, **ask.here), columns, cycle)
    waiting: Answer = {group: (*row[4:], divide(row[4], row[5], 90)) for group, row in answer.items()}
    columns = ("open_disputed_minor", "opened_minor", "days_deductions_outstanding")
    yield ask.part(metrics.days_deductions_outstanding(ask.books, **ask.here), columns, waiting)


def touchless_share(ask: Ask) -> Iterator[Part]:
    answer = ask.truth.touchless(ask.by, add_months(ask.at, -12), ask.at)
    logged = ask.truth.holds("seen_activities")  # where nobody logs work, nothing is known to be touchless
    expected: Answer = {
        group: (paid, touched, 1 - touched / paid if paid and logged else None)
        for group, (paid, touched) in answer.items()
    }
    yield ask.part(metrics.touchless_share(ask.books, **ask.here), ("cleared", "touched", "touchless_share"), expected)


def collection_and_response_rates(ask: Ask) -> Iterator[Part]:
    for measure, days, column in (
        (metrics.collection_effectiveness_rate, 14, "collection_rate"),
        (metrics.response_rate, 7, "response_rate"),
    ):
        answer = ask.truth.followed(ask.by, ask.at, days, response=column == "response_rate")
        expected: Answer = {group: (*row, divide(row[1], row[0])) for group, row in answer.items()}
        yield ask.part(measure(ask.books, **ask.here), ("contacted", "paid", column), expected)


def contact_to_cash(ask: Ask) -> Iterator[Part]:
    columns = ("contacted", "paid", "contact_to_cash_days")
    yield ask.part(
        metrics.contact_to_cash(ask.books, **ask.here), columns, ask.truth.to_cash(ask.by, ask.at, 30)
    )  # fmt: skip


def promise_kept_rate(ask: Ask) -> Iterator[Part]:
    answer = ask.truth.promises(ask.by, add_months(ask.at, -12), ask.at)
    expected: Answer = {group: (*row, divide(row[1], row[0]), divide(row[5], row[4])) for group, row in answer.items()}
    columns = ("promises", "kept", "part_kept", "broken", "promised_minor", "arrived_minor", "kept_count_share",
               "kept_amount_share")  # fmt: skip
    yield ask.part(metrics.promise_kept_rate(ask.books, **ask.here), columns, expected)


def unapplied_share(ask: Ask) -> Iterator[Part]:
    answer = ask.truth.unapplied(ask.by, ask.at)
    expected: Answer = {group: (*row, divide(row[0] + row[1], row[2])) for group, row in answer.items()}
    columns = ("unapplied_minor", "unidentified_minor", "receipts_minor", "unapplied_share")
    yield ask.part(metrics.unapplied_share(ask.books, **ask.here), columns, expected)


def accounts_worked_per_day(ask: Ask) -> Iterator[Part]:
    answer = ask.truth.worked(ask.by, ask.at - timedelta(days=90), ask.at)
    expected: Answer = {group[:-1]: (*row, divide(*row)) for group, row in answer.items()}
    columns = ("worked", "days_with_contacts", "accounts_per_day")
    yield Part(metrics.accounts_worked_per_day(ask.books, **ask.here), ask.by, columns, expected)


def cost_per_unit_collected(ask: Ask) -> Iterator[Part]:
    answer = ask.truth.work(ask.by, ask.at - timedelta(days=90), ask.at)
    one_currency = ask.books.groups().height == 1
    worked = any(minutes for minutes, _, _ in ask.truth.work((), ask.at - timedelta(days=90), ask.at).values())
    expected: Answer = {}
    for group, (minutes, contacts, cash) in answer.items():
        cost = int(minutes * HOURLY_COST_MINOR / 60 + 0.5)
        expected[group] = (minutes, contacts, cost, cash, divide(cost, cash) if one_currency and worked else None)
    columns = ("minutes", "contacts", "cost_minor", "collected_minor", "cost_per_unit")
    frame = metrics.cost_per_unit_collected(ask.books, **ask.here, hourly_cost_minor=HOURLY_COST_MINOR)
    yield ask.part(frame, columns, expected)


ALL_LEVELS: tuple[Case, ...] = (
    dso_simple_best_possible_and_delinquent, dso_countback, dso_true, turnover, past_due_share, ageing, roll_rates,
    cure_rate, at_risk_rate, cei, concentration, days_to_pay_and_beyond_terms, kaplan_meier_median, late_share,
    dilution_and_bad_debt, disputes, touchless_share, collection_and_response_rates, contact_to_cash,
    promise_kept_rate,
)  # fmt: skip
NO_ENTITY: tuple[Case, ...] = (unapplied_share, accounts_worked_per_day, cost_per_unit_collected)
CASES: tuple[Case, ...] = (*ALL_LEVELS, *NO_ENTITY)
DAYS = (AS_OF, PAST)


def asked(case: Case, by: Sequence[str]) -> bool:
    """Whether the measures of ``case`` have this level."""
    levels = CUSTOMER_LEVELS if case in NO_ENTITY else LEVELS
    return all(level in levels for level in by)
