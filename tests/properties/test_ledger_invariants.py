"""Whatever the history of a ledger: what every view must satisfy, against a slow reference and against SQL."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from duecourse.core.states import PROMISE, can_reach
from duecourse.ledger.as_of import Ledger, View
from duecourse.ledger.balances import invoice_balances
from duecourse.ledger.checks import invariant_problems, money_findings
from duecourse.ledger.collectible import collectible
from duecourse.ledger.findings import ROW, without
from duecourse.ledger.free_money import free_money
from duecourse.ledger.load import load_ledger
from duecourse.ledger.metrics.ageing import ageing
from duecourse.ledger.promises import promise_states
from duecourse.ledger.write import write_ledger
from support.books import Row, books
from support.histories import VIEWS, histories, row_id

quick = settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def slow_visible(rows: list[Row], table: str, as_of: date) -> dict[str, dict[str, Any]]:
    """id -> the row that counts, by walking through all rows. Texts compare as times do: all are ISO in UTC."""
    start = f"{as_of.isoformat()}T00:00:00Z"
    newest: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row.table != table:
            continue
        key, values = row_id(row), row.values
        if values["recorded_at"] is not None and values["recorded_at"] >= start:
            continue
        before = newest.get(key)
        if before is None or (before["recorded_at"] or "") < (values["recorded_at"] or ""):
            newest[key] = values
    return {key: row for key, row in newest.items() if row["voided_at"] is None or row["voided_at"] >= start}


@quick
@given(histories(), VIEWS)
def test_version_selection_equals_the_slow_reference(rows: list[Row], as_of: date) -> None:
    view = books(*rows).as_of(as_of)
    for table in {row.table for row in rows}:
        expected = slow_visible(rows, table, as_of)
        frame = view.table(table)
        assert frame.to_series(0).to_list() == sorted(expected)
        plain = [name for name in ("customer_id", "amount_minor", "segment", "source_id") if name in frame.columns]
        for row in frame.iter_rows(named=True):
            wanted = expected[row[frame.columns[0]]]
            assert {name: row[name] for name in plain} == {name: wanted.get(name) for name in plain}


ORACLE = """
with known_invoices as (
  select *, row_number() over (partition by invoice_id order by recorded_at desc) as age
  from invoices where recorded_at < $day::timestamp
), known_allocations as (
  select *, row_number() over (partition by allocation_id order by recorded_at desc) as age
  from allocations where recorded_at < $day::timestamp
), live as (
  select * from known_allocations
  where age = 1 and (voided_at is null or voided_at >= $day::timestamp)
    and applied_on < $day and (reversed_on is null or reversed_on >= $day)
), sums as (
  select invoice_id, sum(amount_minor) as applied, max(applied_on) as last_on,
         sum(case when source_kind = 'write_off' then amount_minor else 0 end) as written_off,
         sum(case when source_kind = 'credit' then amount_minor else 0 end) as credited,
         sum(case when source_kind not in ('write_off', 'credit') then amount_minor else 0 end) as paid
  from live group by invoice_id
)
select i.invoice_id,
       greatest(i.amount_minor - coalesce(s.applied, 0), 0) as open_minor,
       case when i.amount_minor <= coalesce(s.applied, 0) then coalesce(s.last_on, i.issued_on) end as cleared_on,
       case when i.amount_minor > coalesce(s.applied, 0) then null
            when s.written_off > 0 and s.written_off >= greatest(s.paid, s.credited) then 'written_off'
            when s.credited > 0 and s.credited >= s.paid then 'credited'
            else 'paid' end as closed_as
from known_invoices i left join sums s using (invoice_id)
where i.age = 1 and (i.voided_at is null or i.voided_at >= $day::timestamp)
order by i.invoice_id
"""
INVOICES = (
    "invoice_id varchar",
    "issued_on date",
    "amount_minor bigint",
    "recorded_at timestamp",
    "voided_at timestamp",
)
ALLOCATIONS = (
    "allocation_id varchar", "invoice_id varchar", "source_kind varchar", "applied_on date", "amount_minor bigint",
    "reversed_on date", "recorded_at timestamp", "voided_at timestamp",
)  # fmt: skip


def sql_balances(rows: list[Row], as_of: date) -> list[tuple[Any, ...]]:
    """The oracle's answer, from the raw rows."""
    with duckdb.connect() as database:
        for table, columns in (("invoices", INVOICES), ("allocations", ALLOCATIONS)):
            database.execute(f"create table {table} ({', '.join(columns)})")
            names = [column.split()[0] for column in columns]
            values = [[row.values[name] for name in names] for row in rows if row.table == table]
            if values:
                database.executemany(f"insert into {table} values ({', '.join('?' * len(names))})", values)  # noqa: S608
        return database.execute(ORACLE, {"day": as_of}).fetchall()


@quick
@given(histories(), VIEWS)
def test_balances_equal_those_of_sql(rows: list[Row], as_of: date) -> None:
    ours = invoice_balances(books(*rows).as_of(as_of))
    assert ours.select("invoice_id", "open_minor", "cleared_on", "closed_as").rows() == sql_balances(rows, as_of)


@quick
@given(histories(), VIEWS)
def test_every_amount_is_divided_without_remainder(rows: list[Row], as_of: date) -> None:
    view = books(*rows).as_of(as_of)
    balances, parts = invoice_balances(view), collectible(view)
    names = ["disputed_minor", "promised_minor", "planned_minor", "netted_minor", "collectible_minor"]
    assert all((parts[name] >= 0).all() for name in names)
    assert (parts.select(names).sum_horizontal() == parts["open_minor"]).all()
    assert parts["open_minor"].sum() == balances["open_minor"].sum()
    assert (balances["open_minor"] >= 0).all()
    assert (balances["open_minor"] <= balances["amount_minor"]).all()
    issued = balances.filter(pl.col("issued_on") < as_of)
    assert ageing(view)["open_minor"].sum() == issued["open_minor"].sum()
    by = ["customer_id", "currency"]
    free = {row[:2]: row[2] for row in free_money(view).group_by(by).agg(pl.col("free_minor").sum()).iter_rows()}
    for customer, currency, netted in parts.group_by(by).agg(pl.col("netted_minor").sum()).iter_rows():
        assert netted <= free.get((customer, currency), 0)


def hashable(view: View) -> list[object]:
    """Everything that is computed from a view here."""
    tables = {name: frame.rows() for name, frame in view.tables.items() if frame.height}
    computed = [invoice_balances(view), collectible(view), promise_states(view), free_money(view), ageing(view)]
    return [view.snapshot_id, tables, *(frame.rows() for frame in computed)]


def later_is_different(rows: list[Row], as_of: date) -> list[Row]:
    """``rows`` with another future: later rows rewritten, later dates in earlier rows moved, more rows recorded."""
    start = f"{as_of.isoformat()}T00:00:00Z"
    other = []
    for row in rows:
        values = dict(row.values)
        if values["recorded_at"] is not None and values["recorded_at"] >= start:
            values |= {name: 77 for name in ("amount_minor",) if name in values}
            values |= {"voided_at": None}
        for name in ("reversed_on", "closed_on", "voided_at"):
            if values.get(name) is not None and values[name] >= (start if name == "voided_at" else start[:10]):
                values[name] = "2027-01-01" if name == "closed_on" else None
                values |= {"outcome": "invalid"} if name == "closed_on" else {}
        other.append(Row(row.table, values))
    more = [row.also(recorded_at=f"{as_of.isoformat()}T00:00:00.000001Z") for row in rows]
    return [*reversed(other), *more]


@quick
@given(histories(), VIEWS)
def test_nothing_recorded_from_the_day_on_changes_its_view(rows: list[Row], as_of: date) -> None:
    start = f"{as_of.isoformat()}T00:00:00Z"
    truth = hashable(books(*rows).as_of(as_of))
    earlier = [row for row in rows if (row.values["recorded_at"] or "") < start]
    assert hashable(books(*earlier).as_of(as_of)) == truth
    assert hashable(books(*later_is_different(rows, as_of)).as_of(as_of)) == truth


@quick
@given(histories())
def test_promises_move_only_as_the_table_allows_while_their_rows_stand(rows: list[Row]) -> None:
    """Without corrections and reversals, that is: those may mend a judgement, and say so by their recorded_at."""
    once = {(row.table, row_id(row)): row for row in rows}.values()
    steady = [
        row.also(**{name: None for name in ("voided_at", "reversed_on", "recorded_at", "status") if name in row.values})
        for row in once
        if row.table in ("invoices", "promises", "allocations", "customers")
    ]
    ledger = books(*[row for row in steady if row.table != "allocations" or row.values["source_kind"] != "credit"])
    seen: dict[str, str] = {}
    for offset in range(0, 75, 7):
        view = ledger.as_of(date(2026, 1, 1) + timedelta(days=offset))
        for name, state in promise_states(view).select("promise_id", "state").iter_rows():
            assert can_reach(PROMISE, seen.get(name, "open"), state), (name, seen.get(name), state)
            seen[name] = state


@quick
@given(histories())
def test_taking_out_what_exceeds_leaves_nothing_that_exceeds(rows: list[Row]) -> None:
    """What skipping relies on; of one version per thing, for an older version may exceed again."""
    once = {(row.table, row_id(row)): row for row in rows}.values()
    frames = {name: frame.with_row_index(ROW) for name, frame in books(*once).tables.items()}
    rest = without(frames, money_findings(frames))
    assert money_findings(rest) == []


@settings(quick, max_examples=15)
@given(histories(), st.sampled_from(["csv", "parquet"]))
def test_a_ledger_survives_its_files_and_bad_rows_can_always_be_skipped(rows: list[Row], form: Any) -> None:
    ledger = books(*rows)
    with TemporaryDirectory() as directory:
        write_ledger(ledger, Path(directory) / "first", form)
        loaded = load_ledger(Path(directory) / "first", skip_bad_rows=True)
        total = sum(frame.height for frame in ledger.tables.values())
        kept = sum(frame.height for frame in loaded.ledger.tables.values())
        assert kept + sum(loaded.skipped_rows.values()) == total
        write_ledger(loaded.ledger, Path(directory) / "second", form)
        again = load_ledger(Path(directory) / "second")
    assert again.problems == ()
    for name, frame in loaded.ledger.tables.items():
        if frame.height:
            assert again.ledger.table(name).equals(frame), name
    assert [problem for problem in invariant_problems(loaded.ledger) if "control total" not in problem.expected] == []


@quick
@given(histories(), VIEWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_in_a_file_means_nothing(rows: list[Row], as_of: date, random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert hashable(books(*shuffled).as_of(as_of)) == hashable(books(*rows).as_of(as_of))


def test_an_empty_ledger_has_empty_answers() -> None:
    view = Ledger.from_frames({}).as_of(date(2026, 1, 1))
    assert [frame.height for frame in (invoice_balances(view), collectible(view), promise_states(view))] == [0, 0, 0]
