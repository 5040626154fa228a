from datetime import date
from pathlib import Path

import polars as pl
import pytest

from duecourse.core.errors import BadInput, UsageError
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.load import load_ledger
from duecourse.ledger.write import write_ledger
from support.books import activity, allocation, books, customer, decision, invoice, payment, plan

FORMATS = ["parquet", "csv"]


def rich() -> Ledger:
    """Every kind of value, awkward text, versions, an unknown column."""
    return books(
        customer("C1", name='=Fürst & "Sons", Ltd', country="DE", strategic=False, credit_limit_minor=-5),
        invoice(
            "I1", discount_percent=2.1, our_branch=" 07 ", po_number="a\r\nb", recorded_at="2026-01-02T03:04:05.000006Z"
        ),
        invoice("I1", discount_percent=1 / 3, recorded_at="2026-01-03", voided_at="2026-02-01T10:00:00Z"),
        invoice("I2", 10**15, recurring=True),
        payment("P1", 500, "2026-02-01", remittance_text="I1; I2"),
        allocation("I2", 500, "2026-02-01", source_id="P1", reversed_on="2026-02-09"),
        activity("X1", "call", "2026-02-01T10:00:00Z", invoice_ids=["I1", "I2"], text="línea\nzwei"),
        plan("L1", "2026-01-01", ["2026-02-01:50", "2026-03-01:50"]),
        decision("E1", "2026-01-01T00:00:00Z", propensities='{"none": 0.25}', eps=0.1),
    )


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_written_is_read_back_exactly(tmp_path: Path, form: str) -> None:
    ledger = rich()
    write_ledger(ledger, tmp_path / "books", form)
    back = load_ledger(tmp_path / "books")
    assert back.problems == ()
    assert back.unknown_columns == {"invoices": ("our_branch",)}
    assert set(back.ledger.tables) == set(ledger.tables)
    for name in ledger.tables:
        assert back.ledger.table(name).equals(ledger.table(name)), name
    assert back.ledger.as_of(date(2026, 6, 1)).snapshot_id == ledger.as_of(date(2026, 6, 1)).snapshot_id


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_ledger_gives_the_same_bytes(tmp_path: Path, form: str) -> None:
    for name in ("one", "two"):
        write_ledger(rich(), tmp_path / name, form)
    files = [{file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("one", "two")]
    assert files[0] == files[1]


def test_money_and_times_look_as_the_contract_says(tmp_path: Path) -> None:
    write_ledger(books(invoice("I1", recurring=True, recorded_at="2026-01-02")), tmp_path / "books", "csv")
    assert (tmp_path / "books" / "invoices.csv").read_text() == (
        "invoice_id,customer_id,issued_on,due_on,amount_minor,currency,recurring,recorded_at\n"
        "I1,C1,2026-01-01,2026-01-31,10000,USD,true,2026-01-02T00:00:00Z\n"
    )
    assert [file.name for file in (tmp_path / "books").iterdir()] == ["invoices.csv"]


@pytest.mark.parametrize("form", FORMATS)
def test_empty_text_is_no_value(tmp_path: Path, form: str) -> None:
    rows = [invoice("I1", po_number=""), activity("X", "note", "2026-01-01T00:00:00Z", invoice_ids=[], text="t")]
    write_ledger(books(*rows), tmp_path / "books", form)
    ledger = load_ledger(tmp_path / "books").ledger
    assert ledger.table("invoices")["po_number"].to_list() == [None]
    assert ledger.table("activities")["invoice_ids"].to_list() == [None]


@pytest.mark.parametrize("form", FORMATS)
def test_an_empty_ledger_is_a_ledger(tmp_path: Path, form: str) -> None:
    write_ledger(Ledger.from_frames({}), tmp_path / "books", form)
    assert load_ledger(tmp_path / "books").ledger.table("invoices").height == 0


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="already exists"):
        write_ledger(rich(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_list_that_csv_cannot_hold_leaves_nothing_behind(tmp_path: Path) -> None:
    ledger = books(invoice("I1"), activity("X", "note", "2026-01-01T00:00:00Z", invoice_ids=["I;1"]))
    with pytest.raises(BadInput, match="without ;"):
        write_ledger(ledger, tmp_path / "books", "csv")
    assert list(tmp_path.iterdir()) == []
    write_ledger(ledger, tmp_path / "books")
    assert "activities.parquet" in [file.name for file in (tmp_path / "books").iterdir()]


def test_unknown_columns_of_other_types_become_text_in_csv(tmp_path: Path) -> None:
    frame = books(invoice("I1")).table("invoices").with_columns(
        branch=pl.lit(7), tags=pl.lit(pl.Series([[1, 2]])), more=pl.struct(a=pl.lit(1))
    )  # fmt: skip
    write_ledger(Ledger.from_frames({"invoices": frame}), tmp_path / "books", "csv")
    row = load_ledger(tmp_path / "books").ledger.table("invoices").row(0, named=True)
    assert (row["branch"], row["tags"], row["more"]) == ("7", "1;2", '{"a":1}')
