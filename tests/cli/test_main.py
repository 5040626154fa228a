"""Every error becomes its exit code with its cure, and results are written whole or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import click
import polars as pl
import pytest
from click.testing import CliRunner

from duecourse.cli import common, main
from duecourse.cli.doctor import doctor
from duecourse.core.errors import BadInput, NotEnoughData, Problem, UsageError
from duecourse.ledger.as_of import Ledger


def duecourse(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The installed program, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from duecourse.cli.main import main; main()", *arguments],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_help_lists_every_verb() -> None:
    seen = duecourse("--help")
    assert seen.returncode == 0
    for verb in main.VERBS:
        assert f"\n  {verb} " in seen.stdout


def test_an_unknown_verb_is_wrong_usage() -> None:
    seen = duecourse("colect")
    assert seen.returncode == 2
    assert "colect" in seen.stderr
    assert "Traceback" not in seen.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [(BadInput("bad"), 3), (NotEnoughData("few"), 4), (UsageError("usage"), 2), (RuntimeError("bug"), 1)],
)
def test_errors_become_exit_codes_without_a_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, code: int
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(main.cli, "main", fail)
    with pytest.raises(SystemExit) as stop:
        main.main()
    assert stop.value.code == code
    printed = capsys.readouterr()
    assert str(error) in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""


def test_bad_input_names_file_row_column_value_and_cure() -> None:
    problem = Problem("invoices.csv", 7, "due_on", "31/02/2026", "an ISO date", "correct the day")
    text = str(BadInput("invoices.csv cannot be read", (problem,) * 25))
    assert "invoices.csv, row 7, column due_on: '31/02/2026': expected an ISO date (correct the day)" in text
    assert "5 more problems" in text


def test_a_missing_ledger_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="expected a ledger directory or an export"):
        common.read_source(tmp_path / "nowhere")


def test_results_appear_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "results"

    def fail_half_way() -> None:
        with common.result_directory(out, force=False) as work:
            (work / "half.csv").write_text("x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert list(tmp_path.iterdir()) == []
    with common.result_directory(out, force=False) as work:
        (work / "whole.csv").write_text("1")
    assert (out / "whole.csv").read_text() == "1"


def test_results_are_never_replaced_without_force(tmp_path: Path) -> None:
    out = tmp_path / "results"
    out.mkdir()
    (out / "old.csv").write_text("old")
    with pytest.raises(UsageError, match="--force"), common.result_directory(out, force=False):
        pass
    with common.result_directory(out, force=True) as work:
        (work / "new.csv").write_text("new")
    assert sorted(item.name for item in out.iterdir()) == ["new.csv", "old.csv"]


def test_csv_for_spreadsheets_cannot_become_a_formula(tmp_path: Path) -> None:
    frame = pl.DataFrame({"name": ["=1+1", "@x", "-5", "plain", None], "amount_minor": [-1250, 1, 2, 3, 4],
                          "ids": [["=a", "b"], [], ["c"], None, ["d"]]})  # fmt: skip
    common.write_frames(tmp_path, {"t": frame}, "csv")
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines == ["name,amount_minor,ids", "'=1+1,-1250,'=a;b", '\'@x,1,""', "'-5,2,c", "plain,3,", ",4,d"]


def test_as_of_defaults_to_the_morning_after_the_last_fact() -> None:
    day = date(2026, 3, 4)
    invoices = pl.DataFrame(
        {"invoice_id": ["a"], "customer_id": ["c"], "issued_on": [day], "due_on": [day], "amount_minor": [1],
         "currency": ["EUR"]}
    )  # fmt: skip
    assert common.resolve_as_of(None, Ledger.from_frames({"invoices": invoices})) == date(2026, 3, 5)
    with pytest.raises(NotEnoughData):
        common.resolve_as_of(None, Ledger.from_frames({}))


def test_a_wrong_date_says_which_form_is_expected() -> None:
    with pytest.raises(click.BadParameter, match="YYYY-MM-DD"):
        common.IsoDate().convert("21.11.2026", None, None)


def test_doctor_finds_everything_here_and_speaks_json() -> None:
    seen = CliRunner().invoke(doctor, ["--json"])
    assert seen.exit_code == 0
    findings = {item["what"]: item for item in json.loads(seen.stdout)["findings"]}
    assert findings["lightgbm"]["fine"] is True


def test_doctor_names_the_cure_for_a_missing_libgomp(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_libgomp(name: str) -> object:
        if name == "lightgbm":
            raise OSError("libgomp.so.1: cannot open shared object file")
        return object()

    monkeypatch.setattr("duecourse.cli.doctor.importlib.import_module", without_libgomp)
    seen = CliRunner().invoke(doctor)
    assert seen.exit_code == 1
    assert "install libgomp1 (Debian, Ubuntu)" in seen.stdout


def test_starting_the_program_imports_no_heavy_library() -> None:
    code = "import duecourse.cli.main, sys; print([m for m in ('lightgbm', 'sklearn', 'scipy') if m in sys.modules])"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[]"
