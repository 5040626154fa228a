"""Every measure equals an independent computation in SQL, to the cent, on random ledgers and at every level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from duecourse.ledger import metrics
from duecourse.ledger.metrics import Books
from duecourse.ledger.metrics.books import add_months
from support.metrics_oracle import Answer, Oracle, oracle
from support.random_books import AS_OF, random_ledger

SEEDS = range(3)
LEVELS: tuple[tuple[str, ...], ...] = ((), ("entity_id",), ("segment",), ("parent_id", "customer_id"))
PAST = date(2026, 1, 9)
DAYS = (AS_OF, PAST)


@pytest.fixture(scope="module", params=SEEDS)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Books, Oracle]]:
    ledger = random_ledger(request.param)
    with oracle(ledger, AS_OF, tmp_path_factory.mktemp("oracle")) as truth:
        yield Books(ledger.as_of(AS_OF)), truth


def equal(frame: pl.DataFrame, by: Sequence[str], columns: Sequence[str], expected: Answer) -> None:
    """Frame rows are the oracle's: integers exactly, fractions to 1e-9 of their size, nothing where it has nothing."""
    keys = [*by, "currency"]
    found = {row[: len(keys)]: row[len(keys) :] for row in frame.select(*keys, *columns).iter_rows()}
    for group in found.keys() | expected.keys():
        ours, theirs = found.get(group, (None,) * len(columns)), expected.get(group, (None,) * len(columns))
        for name, mine, other in zip(columns, ours, theirs, strict=True):
            if isinstance(mine, float) or isinstance(other, float):
                assert mine == pytest.approx(other, rel=1e-9, abs=1e-9), (group, name)
            else:
                assert (mine or 0) == (other or 0), (group, name, mine, other)


def divide(top: Any, bottom: Any, factor: float = 1.0) -> float | None:
    return top / bottom * factor if bottom and bottom > 0 else None


def covered(books: Books, day: date) -> bool:
    first = books.first_issued_on()
    return first is not None and (first - day).days <= 7


@pytest.mark.parametrize("by", LEVELS, ids=str)
@pytest.mark.parametrize("at", DAYS, ids=str)
class TestReceivables:
    def test_dso_simple_best_possible_and_delinquent(self, case: tuple[Books, Oracle], at: date, by: Any) -> None:
        books, truth = case
        start = at - timedelta(days=90)
        owed, sold = truth.receivables(by, at), truth.sales(by, start, at)
        known = covered(books, start)
        expected = {
            group: tuple(divide(part, sold[group][0], 90) if known else None for part in (ar, ar - past, past))
            for group, (ar, past) in owed.items()
        }
        measures = (metrics.dso_simple, metrics.best_possible_dso, metrics.average_days_delinquent)
        columns = ("dso_days", "best_possible_dso_days", "average_days_delinquent_days")
        for number, (measure, column) in enumerate(zip(measures, columns, strict=True)):
            frame = measure(books, at=at, by=by)
            equal(frame, by, ("receivable_minor", "past_due_minor"), owed)
            equal(frame, by, ("sales_minor",), sold)
            equal(frame, by, (column,), {group: (row[number],) for group, row in expected.items()})

    def test_dso_countback(self, case: tuple[Books, Oracle], at: date, by: Any) -> None:
        books, truth = case
        first = books.first_issued_on()
        expected = truth.countback(by, at) if first and first < at else {}
        equal(metrics.dso_countback(books, at=at, by=by), by, ("dso_days",), expected)

    def test_dso_true(self, case: tuple[Books, Oracle], at: date, by: Any) -> None:
        books, truth = case
        equal(metrics.dso_true(books, at=at, by=by), by, ("dso_true_days",), truth.true_dso(by, at))

    def test_turnover(self, case: tuple[Books, Oracle], at: date, by: Any) -> None:
        books, truth = case
        points = [at]
        while len(points) < 13:
            points.append((points[-1] - timedelta(days=1)).replace(day=1))
        owed = [truth.receivables(by, point) for point in points]
        start = add_months(at, -12)
        sold = truth.sales(by, start, at)
        expected: Answer = {}
        for group, (sales,) in sold.items():
            mean = sum(each[group][0] for each in owed) / 13
            expected[group] = (divide(sales, mean) if covered(books, start) else None,)
        equal(metrics.receivables_turnover(books, at=at, by=by), by, ("turnover",), expected)

    def test_past_due_share_and_ageing(self, case: tuple[Books, Oracle], at: date, by: Any) -> None:
        books, truth = case
        owed = truth.receivables(by, at)
        shares: Answer = {group: (divide(past, ar),) for group, (ar, past) in owed.items()}
        equal(metrics.past_due_share(books, at=at, by=by), by, ("past_due_share",), shares)
        frame = metrics.ageing(books, at=at, by=by)
        keys = [*by, "currency"]
        wide = frame.group_by(keys, maintain_order=True).agg(
            pl.struct("invoices", "open_minor").alias("cells"),
            pl.col("bucket"),
            pl.col("open_minor").sum().alias("total"),
        )
        expected = truth.ageing(by, at)
        for row in wide.iter_rows(named=True):
            group = tuple(row[key] for key in keys)
            cells = [value for cell in row["cells"] for value in (cell["invoices"], cell["open_minor"])]
            assert row["bucket"] == list(metrics.BUCKETS)
            assert cells == [value or 0 for value in expected.get(group, (0,) * 10)]
            assert row["total"] == owed[group][0]

    def test_roll_rates(self, case: tuple[Books, Oracle], at: date, by: Any) -> None:
        books, truth = case
        frame = metrics.roll_rates(books, at=at, by=by)
        for step, slots in (("current", (0, 1)), ("61-90", (2, 3))):
            expected = {
                group: (row[slots[0]], row[slots[1]], divide(row[slots[1]], row[slots[0]]))
                for group, row in truth.rolls(by, at).items()
            }
            equal(frame.filter(from_bucket=step), by, ("from_minor", "to_minor", "roll_rate"), expected)

    def test_cure_rate(self, case: tuple[Books, Oracle], at: date, by: Any) -> None:
        books, truth = case
        expected = {group: (owed, cured, divide(cured, owed)) for group, (owed, cured) in truth.cure(by, at).items()}
        equal(metrics.cure_rate(books, at=at, by=by), by, ("delinquent_minor", "cured_minor", "cure_rate"), expected)

    def test_cei(self, case: tuple[Books, Oracle], at: date, by: Any) -> None:
        books, truth = case
        start = add_months(at, -1)
        begin, end, sold = truth.receivables(by, start), truth.receivables(by, at), truth.sales(by, start, at)
        expected: Answer = {}
        for group, (ar, past) in end.items():
            to_collect = begin[group][0] + sold[group][0]
            base = to_collect - (ar - past)
            small = base <= 0 or base < 0.05 * begin[group][0]
            expected[group] = (None if small else (to_collect - ar) / base * 100,)
        equal(metrics.cei(books, at=at, by=by), by, ("cei_percent",), expected)

    def test_concentration(self, case: tuple[Books, Oracle], at: date, by: Any) -> None:
        books, truth = case
        answer = truth.shares(by, at)
        top: Answer = {group: (three, divide(three, total)) for group, (total, three, _) in answer.items()}
        equal(metrics.top_share(books, at=at, by=by, top=3), by, ("top_minor", "top_share"), top)
        equal(metrics.hhi(books, at=at, by=by), by, ("hhi",), {group: (row[2],) for group, row in answer.items()})


@pytest.mark.parametrize("by", LEVELS, ids=str)
class TestPaying:
    def test_at_risk_rate(self, case: tuple[Books, Oracle], by: Any) -> None:
        books, truth = case
        frame = metrics.at_risk_rate(books, by=by)
        counts = ("invoices", "reached", "amount_minor", "reached_minor")
        equal(frame.group_by([*by, "currency"]).agg(pl.col(*counts).sum()), by, counts, truth.risk(by, AS_OF))

    @pytest.mark.parametrize("at", DAYS, ids=str)
    def test_days_to_pay_and_beyond_terms(self, case: tuple[Books, Oracle], at: date, by: Any) -> None:
        books, truth = case
        answer = truth.paid(by, add_months(at, -12), at)
        pay: Answer = {group: row[:3] for group, row in answer.items()}
        beyond: Answer = {group: (row[3],) for group, row in answer.items()}
        equal(metrics.days_to_pay(books, at=at, by=by), by, ("cleared", "cleared_minor", "days_to_pay_days"), pay)
        equal(metrics.days_beyond_terms(books, at=at, by=by), by, ("days_beyond_terms_days",), beyond)

    @pytest.mark.parametrize("at", DAYS, ids=str)
    def test_kaplan_meier_median(self, case: tuple[Books, Oracle], at: date, by: Any) -> None:
        books, truth = case
        frame = metrics.kaplan_meier_median(books, at=at, by=by)
        equal(frame, by, ("km_median_days",), truth.survival(by, add_months(at, -12), at))

    @pytest.mark.parametrize("more", metrics.LATE_STEPS)
    def test_late_share(self, case: tuple[Books, Oracle], by: Any, more: int) -> None:
        books, truth = case
        answer = truth.late(by, add_months(AS_OF, -12), AS_OF, more)
        frame = metrics.late_share(books, by=by, more_than_days=more)
        expected: Answer = {
            group: (*row, divide(row[1], row[0]) if row[2] else None, divide(row[3], row[2]))
            for group, row in answer.items()
        }
        columns = ("invoices", "late_invoices", "amount_minor", "late_minor", "late_count_share", "late_share")
        equal(frame, by, columns, expected)
        if more == 0:
            items = metrics.late_items(books).group_by([*by, "currency"]).agg(pl.col("late_minor").sum())
            equal(items, by, ("late_minor",), {group: (row[3],) for group, row in answer.items()})

    def test_dilution_and_bad_debt(self, case: tuple[Books, Oracle], by: Any) -> None:
        books, truth = case
        start = add_months(AS_OF, -12)
        sold = truth.sales(by, start, AS_OF)
        answer = truth.dilution(by, start, AS_OF)
        expected: Answer = {group: (*row, divide(sum(row), sold[group][0])) for group, row in answer.items()}
        columns = ("credited_minor", "deducted_minor", "written_off_minor", "dilution")
        equal(metrics.dilution(books, by=by), by, columns, expected)
        booked = "write_off" in books.view.table("allocations")["source_kind"]
        bad: Answer = {
            group: (row[2], divide(row[2], sold[group][0]) if booked else None) for group, row in answer.items()
        }
        equal(metrics.bad_debt_ratio(books, by=by), by, ("written_off_minor", "bad_debt_ratio"), bad)

    def test_disputes(self, case: tuple[Books, Oracle], by: Any) -> None:
        books, truth = case
        answer = truth.disputes(by, add_months(AS_OF, -12), AS_OF)
        cycle: Answer = {group: row[:4] for group, row in answer.items()}
        columns = ("closed", "dispute_days_median", "dispute_days_p90", "favour_ratio")
        equal(metrics.dispute_cycle(books, by=by), by, columns, cycle)
        waiting: Answer = {group: (*row[4:], divide(row[4], row[5], 90)) for group, row in answer.items()}
        columns = ("open_disputed_minor", "opened_minor", "days_deductions_outstanding")
        equal(metrics.days_deductions_outstanding(books, by=by), by, columns, waiting)

    def test_touchless_share(self, case: tuple[Books, Oracle], by: Any) -> None:
        books, truth = case
        answer = truth.touchless(by, add_months(AS_OF, -12), AS_OF)
        expected: Answer = {
            group: (paid, touched, 1 - touched / paid if paid else None) for group, (paid, touched) in answer.items()
        }
        equal(metrics.touchless_share(books, by=by), by, ("cleared", "touched", "touchless_share"), expected)


@pytest.mark.parametrize("by", [level for level in LEVELS if level != ("entity_id",)], ids=str)
class TestCustomers:
    def test_collection_and_response_rates(self, case: tuple[Books, Oracle], by: Any) -> None:
        books, truth = case
        for measure, days, column in (
            (metrics.collection_effectiveness_rate, 14, "collection_rate"),
            (metrics.response_rate, 7, "response_rate"),
        ):
            answer = truth.followed(by, AS_OF, days, response=column == "response_rate")
            expected: Answer = {group: (*row, divide(row[1], row[0])) for group, row in answer.items()}
            equal(measure(books, by=by), by, ("contacted", "paid", column), expected)

    def test_promise_kept_rate(self, case: tuple[Books, Oracle], by: Any) -> None:
        books, truth = case
        answer = truth.promises(by, add_months(AS_OF, -12), AS_OF)
        expected: Answer = {
            group: (*row, divide(row[1], row[0]), divide(row[5], row[4])) for group, row in answer.items()
        }
        columns = ("promises", "kept", "part_kept", "broken", "promised_minor", "arrived_minor", "kept_count_share",
                   "kept_amount_share")  # fmt: skip
        equal(metrics.promise_kept_rate(books, by=by), by, columns, expected)


def test_unapplied_share(case: tuple[Books, Oracle]) -> None:
    books, truth = case
    expected: Answer = {group: (*row, divide(row[0] + row[1], row[2])) for group, row in truth.unapplied(AS_OF).items()}
    columns = ("unapplied_minor", "unidentified_minor", "receipts_minor", "unapplied_share")
    equal(metrics.unapplied_share(books), (), columns, expected)


def test_accounts_worked_per_day_and_cost(case: tuple[Books, Oracle]) -> None:
    books, truth = case
    start = AS_OF - timedelta(days=90)
    sql = truth.connection.execute
    pairs, days = sql(
        "select count(distinct (customer_id, occurred_at::date)), count(distinct occurred_at::date) "
        "from seen_activities "
        "where direction = 'out' and channel <> 'note' and occurred_at::date >= ? and occurred_at::date < ?",
        [start, AS_OF],
    ).fetchall()[0]
    frame = metrics.accounts_worked_per_day(books)
    assert frame.select("worked", "days_with_contacts").row(0) == (pairs, days)
    assert frame["accounts_per_day"].item() == divide(pairs, days)
    minutes = sql(
        "select coalesce(sum(minutes), 0) from seen_activities where occurred_at::date >= ? and occurred_at::date < ?",
        [start, AS_OF],
    ).fetchall()[0][0]
    cash = dict(sql(
        "select currency, sum(amount_minor)::bigint from live(day()) where source_kind = 'payment' and applied_on >= ? "
        "group by 1", [start]).fetchall())  # fmt: skip
    cost = metrics.cost_per_unit_collected(books, hourly_cost_minor=6_000)
    assert set(cost["minutes"]) == {minutes}
    assert {
        row["currency"]: row["collected_minor"] for row in cost.iter_rows(named=True) if row["collected_minor"]
    } == cash
