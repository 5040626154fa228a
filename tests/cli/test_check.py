from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from duecourse.cli.check import check
from duecourse.core.errors import BadInput, NotEnoughData, UsageError
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.write import write_ledger
from support import books as build
from support.planted_faults import clean

ROWS = [
    row
    for number in range(12)
    for row in (
        build.invoice(f"I{number:02}", 12_345 + number, f"2026-{1 + number // 4:02}-{3 + number % 4:02}"),
        build.allocation(f"I{number:02}", 12_345 + number, f"2026-{2 + number // 4:02}-20"),
    )
]


def run(*args: str | Path) -> Result:
    return CliRunner(catch_exceptions=False).invoke(check, [str(arg) for arg in args], standalone_mode=False)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    write_ledger(build.books(*ROWS), tmp_path / "ledger", "csv")
    return tmp_path / "ledger"


def test_check_writes_a_page_and_its_figures_and_leaves_the_ledger_alone(ledger: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in ledger.iterdir()}
    result = run(ledger, "--out", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "audit.html", "audit.json", "metrics.parquet",
    ]  # fmt: skip
    found = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert found["as_of"] == "2026-04-21"  # the day after the last payment
    assert found["rows_read"] == found["rows_accepted"] == 24
    assert found["faults"] == []
    page = (tmp_path / "out" / "audit.html").read_text()
    assert page.lower().startswith("<!doctype html>")
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert {path.name: path.read_bytes() for path in ledger.iterdir()} == before
    assert "12 invoices, 1 customer, 12 paid" in result.stdout
    assert "Days to pay" in result.stdout


def test_same_input_gives_the_same_bytes(ledger: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(ledger, "--out", tmp_path / name)
    for file in ("audit.html", "audit.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_json_summary_is_the_only_thing_on_stdout_and_out_is_optional(ledger: Path) -> None:
    summary = json.loads(run(ledger, "--json", "--as-of", "2026-03-01").stdout)
    assert (summary["as_of"], summary["rung"], summary["files"]) == ("2026-03-01", "terms", [])
    assert summary["books"]["USD"]["receivable"] == 8 * 12_345 + sum(range(8)) - 4 * 12_345 - sum(range(4))


def test_results_are_not_overwritten_without_force(ledger: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(ledger, "--out", out)
    before = (out / "audit.json").read_bytes()
    with pytest.raises(UsageError):
        run(ledger, "--out", out, "--as-of", "2026-03-01")
    assert (out / "audit.json").read_bytes() == before
    run(ledger, "--out", out, "--as-of", "2026-03-01", "--force")
    assert json.loads((out / "audit.json").read_text())["as_of"] == "2026-03-01"


def test_bad_rows_are_counted_with_their_cure_and_accepted_plus_refused_is_all(ledger: Path, tmp_path: Path) -> None:
    lines = (ledger / "invoices.csv").read_text().splitlines()
    header = lines[0].split(",")
    cells = lines[1].split(",")
    cells[header.index("due_on")] = "31/02/2026"
    cells[header.index("invoice_id")] = "BROKEN"
    (ledger / "invoices.csv").write_text("\n".join([*lines, ",".join(cells)]) + "\n")
    run(ledger, "--out", tmp_path / "out")
    found = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert (found["rows_read"], found["rows_accepted"], found["rows_refused"]) == (25, 24, 1)
    assert found["refused"][0]["column"] == "due_on"
    assert "31/02/2026" in found["refused"][0]["example"]


def test_four_columns_without_amount_or_currency_are_enough_when_the_doubts_are_settled(tmp_path: Path) -> None:
    lines = ["Customer,Invoice date,Due date,Paid date"]
    lines += [
        f"Firm {n % 7},2025-{1 + n % 9:02}-14,2025-{2 + n % 9:02}-13,2025-{2 + n % 9:02}-{14 + n % 7:02}"
        for n in range(90)
    ]
    (tmp_path / "dates.csv").write_text("\n".join(lines) + "\n")
    options = ("--currency", "EUR", "--set", "amount=1", "--json")
    summary = json.loads(run(tmp_path / "dates.csv", *options).stdout)
    assert summary["books"]["EUR"]["days_beyond_terms"] == round(sum(1 + n % 7 for n in range(90)) / 90, 6)
    assert summary["rung"] == "customer_history"


def test_unusable_input_is_an_error_and_nothing_is_written(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(BadInput):
        run(tmp_path / "absent", "--out", out)
    empty = tmp_path / "empty"
    write_ledger(
        Ledger.from_frames({"invoices": pl.DataFrame(build.frames(build.invoice())["invoices"]).clear()}), empty
    )
    with pytest.raises(NotEnoughData):
        run(empty, "--out", out)
    assert not out.exists()


def test_hourly_cost_needs_one_currency_and_a_sensible_amount(ledger: Path, tmp_path: Path) -> None:
    for wrong in ("much", "-3", "0.001"):
        with pytest.raises(UsageError, match="--hourly-cost"):
            run(ledger, "--hourly-cost", wrong)
    two = tmp_path / "two"
    write_ledger(build.books(build.invoice("I1"), build.invoice("I2", currency="EUR")), two)
    with pytest.raises(UsageError, match="one currency"):
        run(two, "--hourly-cost", "40.00")
    rows = [*ROWS, build.activity("A1", "call", "2026-04-01", minutes=30.0)]
    write_ledger(build.books(*rows), tmp_path / "worked")
    summary = json.loads(run(tmp_path / "worked", "--json", "--hourly-cost", "40.00").stdout)
    collected = sum(12_345 + number for number in range(12))  # all of it came within the last 90 days
    assert summary["books"]["USD"]["cost_per_unit_collected"] == round(2_000 / collected, 6)


def test_the_page_of_a_book_with_everything_in_it_can_be_written(tmp_path: Path) -> None:
    write_ledger(Ledger.from_frames(clean()), tmp_path / "ledger")
    run(tmp_path / "ledger", "--out", tmp_path / "out", "--as-of", "2026-04-01")
    assert (tmp_path / "out" / "audit.html").stat().st_size > 10_000
