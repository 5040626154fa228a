"""``duecourse import``: what it prints and writes, and that a failed import writes nothing."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import polars as pl
import pytest

from duecourse.cli.main import main
from duecourse.ledger.load import load_ledger
from support.exports import HEADER, PRODUCT_EXPORTS, ROW, write

BAD = "2,Cedar,2026-01-05,2026-01-01,10.00,EUR"


def duecourse(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The verb through the program's own entry point, which turns errors into exit codes."""
    out, err = io.StringIO(), io.StringIO()
    words = ["duecourse", "import", *map(str, arguments)]
    code: object = 0
    with mock.patch.object(sys, "argv", words), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as stop:
            code = stop.code
    return subprocess.CompletedProcess(words, int(str(code or 0)), out.getvalue(), err.getvalue())


def test_writes_a_ledger_a_map_and_says_what_was_guessed(tmp_path: Path) -> None:
    done = duecourse(write(tmp_path, "x.csv", HEADER, ROW), "--out", tmp_path / "books")
    assert done.returncode == 0, done.stderr
    assert "invoice_id     <- Invoice No" in done.stdout
    assert "Guessed or taken for granted" in done.stdout
    assert "1 rows = 1 accepted + 0 refused + 0 duplicates + 0 left out" in done.stdout
    assert f"Next: duecourse check {tmp_path / 'books'}" in done.stdout
    assert {item.name for item in (tmp_path / "books").iterdir()} == {
        "customers.parquet", "invoices.parquet", "map.toml", "problems.csv",
    }  # fmt: skip
    assert load_ledger(tmp_path / "books").ledger.table("invoices").get_column("amount_minor").to_list() == [10_00]


def test_json_summary_and_csv_tables(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", HEADER, ROW)
    done = duecourse(path, "--out", tmp_path / "books", "--json", "--format", "csv")
    summary = json.loads(done.stdout)
    assert summary["files"] == [
        {
            "file": "x.csv",
            "rows_are": "invoices",
            "rows": 1,
            "accepted": 1,
            "refused": 0,
            "duplicates": 0,
            "left_out": 0,
        }
    ]
    assert summary["columns"][0]["columns"]["amount"] == "Amount"
    assert all({"subject", "taken", "why", "change"} == set(guess) for guess in summary["guesses"])
    assert (tmp_path / "books" / "invoices.csv").exists()


def test_a_bad_row_stops_with_what_where_expected_and_cure(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", HEADER, ROW, BAD)
    done = duecourse(path, "--out", tmp_path / "books", "--problems", tmp_path / "bad.csv")
    assert done.returncode == 3
    assert "1 of 2 rows cannot be used; nothing was written" in done.stderr
    assert "--skip-bad-rows" in done.stderr
    assert "x.csv, row 3, column Due Date: '2026-01-01': expected a date on or after the invoice date" in done.stderr
    assert not (tmp_path / "books").exists()
    assert pl.read_csv(tmp_path / "bad.csv").get_column("row").to_list() == [3]
    done = duecourse(path, "--out", tmp_path / "books", "--skip-bad-rows")
    assert done.returncode == 0
    assert pl.read_csv(tmp_path / "books" / "problems.csv").select("what", "row").rows() == [("refused", 3)]


def test_a_question_names_its_option_and_writes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", HEADER, "1,A,3/4/2026,4/4/2026,1,EUR")
    done = duecourse(path, "--out", tmp_path / "books")
    assert done.returncode == 3
    assert "--date-order dmy" in done.stderr
    assert not (tmp_path / "books").exists()
    assert duecourse(path, "--out", tmp_path / "books", "--date-order", "mdy").returncode == 0


def test_the_written_map_reads_the_next_export(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", HEADER.replace("Amount", "Ammount due total"), ROW)
    assert duecourse(path, "--out", tmp_path / "a").returncode == 3  # no column is known to hold the amount
    assert duecourse(path, "--out", tmp_path / "a", "--set", "amount=1").returncode == 0
    text = (tmp_path / "a" / "map.toml").read_text()
    edited = tmp_path / "map.toml"
    edited.write_text(
        text.replace('invoice_id = "Invoice No"', 'invoice_id = "Invoice No"\namount = "Ammount due total"')
    )
    done = duecourse(path, "--out", tmp_path / "b", "--map", edited)
    assert done.returncode == 0, done.stderr
    assert load_ledger(tmp_path / "b").ledger.table("invoices").get_column("amount_minor").to_list() == [10_00]


def test_two_files_and_a_named_ready_map(tmp_path: Path) -> None:
    paths = [write(tmp_path, name, text.rstrip("\n")) for name, text in PRODUCT_EXPORTS["odoo"]]
    done = duecourse(*paths, "--out", tmp_path / "books", "--map", "odoo")
    assert done.returncode == 0, done.stderr
    assert load_ledger(tmp_path / "books").ledger.table("allocations").height == 1


def test_nothing_is_replaced_without_force_and_nothing_stale_stays(tmp_path: Path) -> None:
    paths = [write(tmp_path, name, text.rstrip("\n")) for name, text in PRODUCT_EXPORTS["odoo"]]
    assert duecourse(*paths, "--out", tmp_path / "books").returncode == 0
    other = write(tmp_path, "x.csv", HEADER, ROW)
    assert duecourse(other, "--out", tmp_path / "books").returncode == 2
    assert duecourse(other, "--out", tmp_path / "books", "--force").returncode == 0
    assert not (tmp_path / "books" / "allocations.parquet").exists()


def test_formulas_in_the_lists_for_spreadsheets_are_made_harmless(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", HEADER, ROW, "=1+1,Cedar,2026-01-05,2026-01-01,10.00,EUR")
    assert duecourse(path, "--out", tmp_path / "books", "--skip-bad-rows").returncode == 0
    assert "\n=1+1" not in (tmp_path / "books" / "problems.csv").read_text()
    assert ",=1+1" not in (tmp_path / "books" / "problems.csv").read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--currency", "EURO"), "ISO 4217"),
        (("--set", "colour=red"), "FIELD one of"),
        (("--map", "oracle"), "ready: cassandra"),
        (("--delimiter", "::"), "one character"),
    ],
)
def test_wrong_options_are_usage_errors(options: tuple[str, str], said: str, tmp_path: Path) -> None:
    done = duecourse(write(tmp_path, "x.csv", HEADER, ROW), "--out", tmp_path / "books", *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "books").exists()
