"""The bundled example is what its generator writes, and it imports without a question."""

import subprocess
import sys
from pathlib import Path

import pytest

from duecourse.ledger.checks import invariant_problems
from duecourse.ledger.importing import import_files
from duecourse.ledger.load import load_ledger

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def regenerated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("examples")
    command = [sys.executable, str(ROOT / "tools" / "make_example.py"), "--seed", "7", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    return out


def test_regenerating_gives_the_committed_bytes(regenerated: Path) -> None:
    committed = {path.relative_to(ROOT / "examples"): path.read_bytes() for path in _files(ROOT / "examples")}
    again = {path.relative_to(regenerated): path.read_bytes() for path in _files(regenerated)}
    assert committed.keys() == again.keys()
    assert [str(name) for name in committed if committed[name] != again[name]] == []
    assert len(committed[Path("export.csv")]) < 2_000_000


def _files(directory: Path) -> list[Path]:
    return [path for path in sorted(directory.rglob("*")) if path.is_file() and path.suffix == ".csv"]


def test_the_export_imports_whole(regenerated: Path) -> None:
    result = import_files([regenerated / "export.csv"])
    assert result.problems == ()
    invoices = result.ledger.table("invoices")
    assert 8_500 <= invoices.height <= 11_000
    assert set(invoices["currency"]) == {"EUR", "GBP"}
    assert invariant_problems(result.ledger) == ()
    taken = {guess.subject: guess.taken for guess in result.guesses}
    assert "comma" in str(taken)
    assert "day/month/year" in str(taken)


def test_the_strict_example_loads_whole(regenerated: Path) -> None:
    loaded = load_ledger(regenerated / "ledger")
    assert loaded.problems == ()
    for name in ("customers", "contacts", "invoices", "payments", "allocations", "activities", "promises", "disputes"):
        assert loaded.ledger.table(name).height > 0
