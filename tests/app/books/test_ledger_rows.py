"""A ledger goes into the books and comes out exactly; changes become versions; an undone load was never there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from django.db import models
from polars.testing import assert_frame_equal

from app.conftest import NOW, Organisation, exactly_one_event, nothing_changes
from duecourse.app.access import SYSTEM, NotAllowed, Refused, Role
from duecourse.app.books.actions import load_ledger, undo_load
from duecourse.app.books.bulk import addition, insert, remove, stored_rows
from duecourse.app.books.models import ROWS, BookLoad, Entity
from duecourse.app.books.snapshot import content_hash, ledger_of, write_snapshot
from duecourse.core.errors import BadInput
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.load import load_ledger as read_directory
from duecourse.ledger.schema import TABLES
from duecourse.science.simulate import load_world, simulate
from support.books import allocation, books, customer, invoice, payment, promise
from support.random_books import random_ledger


@cache
def company() -> Ledger:
    """A small simulated company, with contacts, promises and disputes."""
    return simulate(load_world("base"), customers=30, months=6, seed=5).ledger


FIELDS = {
    "date": models.DateField, "timestamp": models.DateTimeField, "minor": models.BigIntegerField,
    "integer": models.BigIntegerField, "number": models.FloatField, "boolean": models.BooleanField,
    "list": models.JSONField, "json": models.TextField,
}  # fmt: skip
OWN = {"id", "legal_entity", "load", "is_newest"}


def put(ledger: Ledger, entity: Entity, now: datetime = NOW, source: str = "export.csv") -> BookLoad:
    return load_ledger(actor=SYSTEM, now=now, entity=entity, ledger=ledger, source=source)


def same(one: Ledger, other: Ledger) -> None:
    for name in TABLES:
        assert_frame_equal(one.table(name), other.table(name))


@pytest.mark.parametrize("name", list(TABLES))
def test_a_table_of_rows_is_the_table_of_the_ledger(name: str) -> None:
    fields = {field.name: field for field in ROWS[name]._meta.get_fields() if field.name not in OWN}
    assert set(fields) == set(TABLES[name].by_name)
    for column in TABLES[name].columns:
        field = fields[column.name]
        assert field.null is not column.required, column.name
        assert isinstance(field, FIELDS.get(column.kind, (models.CharField, models.TextField))), column.name
        assert tuple(value for value, _ in field.choices or ()) == column.values, column.name


@pytest.mark.parametrize("seed", range(12))
def test_any_rows_come_out_as_they_went_in(organisation: Organisation, tmp_path: Path, seed: int) -> None:
    ledger = random_ledger(seed)
    load = BookLoad.objects.create(entity=organisation.north, source="x", loaded_at=NOW, row_counts={}, row_count=0)
    insert(load, {
        name: addition(TABLES[name], stored_rows(organisation.north.pk, name), ledger.table(name), now=NOW)
        for name in TABLES
    })  # fmt: skip
    out = ledger_of(organisation.north)
    same(out, ledger)
    assert content_hash(out) == content_hash(ledger)
    for name, model in ROWS.items():
        if "recorded_at" in TABLES[name].by_name:
            newest = ledger.table(name).unique(TABLES[name].key, keep="last", maintain_order=True)
            assert model.objects.filter(is_newest=True).count() == newest.height
    remove(load)
    assert not any(model.objects.exists() for model in ROWS.values())


def test_a_company_goes_in_by_one_act_and_out_as_a_ledger_directory(organisation: Organisation, tmp_path: Path) -> None:
    ledger = company()
    put(ledger, organisation.north)
    out = ledger_of(organisation.north)
    same(out, ledger)
    written = write_snapshot(out, tmp_path)
    assert written.name == content_hash(ledger)
    same(read_directory(written).ledger, ledger)
    last = ledger.last_known()
    assert last is not None
    assert out.as_of(last).snapshot_id == ledger.as_of(last).snapshot_id


def test_a_snapshot_is_written_once(organisation: Organisation, tmp_path: Path) -> None:
    put(books(invoice("I1")), organisation.north)
    first = write_snapshot(ledger_of(organisation.north), tmp_path)
    before = (first / "invoices.parquet").stat().st_mtime_ns
    assert write_snapshot(ledger_of(organisation.north), tmp_path) == first
    assert (first / "invoices.parquet").stat().st_mtime_ns == before


def test_loading_is_one_act_with_its_counts(organisation: Organisation) -> None:
    manager = organisation.actor(Role.CREDIT_MANAGER, organisation.north)
    ledger = books(customer(), invoice("I1"), invoice("I2"))
    with exactly_one_event("books.ledger_loaded") as events:
        load = load_ledger(actor=manager, now=NOW, entity=organisation.north, ledger=ledger, source="export.csv")
    assert (load.row_counts, load.row_count) == ({"customers": 1, "invoices": 2}, 3)
    assert (load.loaded_by_id, events[0].entity_id) == (manager.user_id, organisation.north.pk)
    assert ROWS["invoices"].objects.filter(legal_entity=organisation.south).count() == 0


def test_the_same_ledger_again_is_no_news(organisation: Organisation) -> None:
    ledger = company()
    put(ledger, organisation.north)
    with (
        nothing_changes(BookLoad, *ROWS.values()),
        pytest.raises(Refused, match=r"hold everything that export\.csv says"),
    ):
        put(ledger, organisation.north, NOW + timedelta(days=1))
    put(ledger, organisation.south)
    same(ledger_of(organisation.south), ledger)


def test_a_change_is_known_from_now_on_and_leaves_yesterday_as_it_was(organisation: Organisation) -> None:
    put(books(invoice("I1", due_on="2026-02-01"), invoice("I2")), organisation.north)
    changed = books(invoice("I1", due_on="2026-02-15"), invoice("I2"), invoice("I3"))
    load = put(changed, organisation.north, NOW)
    assert load.row_counts == {"invoices": 2}
    out = ledger_of(organisation.north)
    due = {day: dict(out.as_of(day).table("invoices").select("invoice_id", "due_on").iter_rows())["I1"]
           for day in (NOW.date(), NOW.date() + timedelta(days=1))}  # fmt: skip
    assert due == {NOW.date(): date(2026, 2, 1), NOW.date() + timedelta(days=1): date(2026, 2, 15)}
    newest = ROWS["invoices"].objects.filter(is_newest=True).values_list("invoice_id", "due_on").order_by("invoice_id")
    assert list(newest) == [("I1", date(2026, 2, 15)), ("I2", date(2026, 1, 31)), ("I3", date(2026, 1, 31))]
    with nothing_changes(BookLoad, *ROWS.values()), pytest.raises(Refused, match="says already"):
        put(changed, organisation.north, NOW + timedelta(days=2))


def test_an_older_version_that_comes_late_is_not_the_newest(organisation: Organisation) -> None:
    put(books(invoice("I1", 500, recorded_at="2026-01-10T00:00:00Z")), organisation.north)
    put(books(invoice("I1", 400, recorded_at="2026-01-05T00:00:00Z")), organisation.north)
    newest = ROWS["invoices"].objects.get(is_newest=True)
    assert (newest.amount_minor, ROWS["invoices"].objects.count()) == (500, 2)


def test_books_that_would_not_hold_are_refused_whole(organisation: Organisation) -> None:
    put(books(invoice("I1", 10_000), payment("P1", 10_000, "2026-02-01")), organisation.north)
    put(books(invoice("I1", 10_000), allocation("I1", 6_000, "2026-02-01", source_id="P1")), organisation.north)
    over = books(invoice("I1", 10_000), allocation("I1", 5_000, "2026-02-02", source_id="P1"), invoice("I9"))
    with (
        nothing_changes(BookLoad, *ROWS.values()),
        pytest.raises(BadInput, match="no longer hold; nothing was changed"),
    ):
        put(over, organisation.north)


def test_an_undone_load_was_never_there(organisation: Organisation) -> None:
    first = books(customer(), invoice("I1", due_on="2026-02-01"), promise("PR1", 100, "2026-01-05", "2026-01-09"))
    one = put(first, organisation.north)
    other = put(books(customer(name="Renamed"), invoice("I1", due_on="2026-02-15"), invoice("I2")), organisation.north)
    with nothing_changes(BookLoad, *ROWS.values()), pytest.raises(Refused, match="Only the newest load"):
        undo_load(actor=SYSTEM, now=NOW, load=one)
    with exactly_one_event("books.load_undone"):
        undo_load(actor=SYSTEM, now=NOW, load=other)
    same(ledger_of(organisation.north), first)
    assert not ROWS["invoices"].objects.filter(is_newest=False).exists()
    assert not ROWS["customers"].objects.filter(is_newest=False).exists()
    with nothing_changes(BookLoad, *ROWS.values()), pytest.raises(Refused, match="Only the newest load"):
        undo_load(actor=SYSTEM, now=NOW, load=other)
    undo_load(actor=SYSTEM, now=NOW, load=one)
    assert not any(model.objects.exists() for model in ROWS.values())


def test_lines_of_an_invoice_have_one_newest_row(organisation: Organisation) -> None:
    def lines(amount: int) -> Ledger:
        line = pl.DataFrame({"invoice_id": ["I1"], "line_no": [1], "amount_minor": [amount], "sku": ["A;B"]})
        return Ledger.from_frames({**books(invoice("I1")).tables, "invoice_lines": line})

    put(lines(100), organisation.north)
    load = put(lines(90), organisation.north)
    assert load.row_counts == {"invoice_lines": 1}
    assert ledger_of(organisation.north).table("invoice_lines").get_column("amount_minor").to_list() == [90]
    undo_load(actor=SYSTEM, now=NOW, load=load)
    assert ledger_of(organisation.north).table("invoice_lines").get_column("amount_minor").to_list() == [100]


def test_who_may_not_import_loads_and_undoes_nothing(organisation: Organisation) -> None:
    load = put(books(invoice("I1")), organisation.north)
    for role, entity in [(role, organisation.north) for role in Role if role != Role.CREDIT_MANAGER] + [
        (Role.CREDIT_MANAGER, organisation.south)
    ]:
        actor = organisation.actor(role, entity)
        with nothing_changes(BookLoad, *ROWS.values()):
            with pytest.raises(NotAllowed):
                load_ledger(actor=actor, now=NOW, entity=organisation.north, ledger=books(invoice("I2")), source="x")
            with pytest.raises(NotAllowed):
                undo_load(actor=actor, now=NOW, load=load)


def test_times_and_money_keep_every_digit(organisation: Organisation) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    ledger = books(invoice("I1", 9_007_199_254_740_993, recorded_at=moment, discount_percent=0.1 + 0.2))
    put(ledger, organisation.north)
    row = ledger_of(organisation.north).table("invoices").row(0, named=True)
    assert (row["amount_minor"], row["recorded_at"]) == (9_007_199_254_740_993, moment)
    assert row["discount_percent"] == 0.1 + 0.2
