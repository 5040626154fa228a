from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from duecourse.cli.score import score
from duecourse.cli.train import train
from duecourse.core.errors import BadInput, UsageError
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.write import write_ledger
from support.timing_books import day_of, habit_frames

AS_OF = day_of(230).isoformat()


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "books"
    write_ledger(Ledger.from_frames(habit_frames(invoices=1000)), path)
    return path


@pytest.fixture(scope="module")
def model(books: Path) -> Path:
    path = books.parent / "model"
    arguments = [str(books), "--as-of", AS_OF, "--model", str(path), "--no-gate", "--json", "--threads", "1"]
    result = CliRunner().invoke(train, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    summary = json.loads(result.stdout)
    assert summary["as_of"] == AS_OF
    assert summary["gate"] is None
    assert summary["model_id"] == json.loads((path / "model.json").read_text())["model_id"]
    return path


def _score(books: Path, out: Path, *more: str) -> tuple[dict[str, object], pl.DataFrame]:
    arguments = [str(books), "--as-of", AS_OF, "--out", str(out), "--json", *more]
    result = CliRunner().invoke(score, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return json.loads(result.stdout), pl.read_parquet(out / "scores.parquet")


def test_a_stored_model_and_one_fitted_on_the_fly_write_the_same_bytes(
    books: Path, model: Path, tmp_path: Path
) -> None:
    stored, scores = _score(books, tmp_path / "a", "--model", str(model))
    assert stored["rungs"] == {"model": scores.height}
    _score(books, tmp_path / "b", "--no-gate", "--threads", "1")
    for name in ("scores.parquet", "curves.parquet"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_results_are_not_overwritten_and_csv_is_written_on_request(books: Path, model: Path, tmp_path: Path) -> None:
    arguments = [str(books), "--as-of", AS_OF, "--out", str(tmp_path / "c"), "--model", str(model), "--format", "csv"]
    result = CliRunner().invoke(score, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert (tmp_path / "c" / "scores.csv").read_text().startswith("invoice_id,customer_id,as_of,")
    with pytest.raises(UsageError, match="already holds results"):
        CliRunner().invoke(score, arguments, catch_exceptions=False)


def test_a_directory_without_a_model_is_bad_input(books: Path, tmp_path: Path) -> None:
    arguments = [str(books), "--as-of", AS_OF, "--out", str(tmp_path / "d"), "--model", str(tmp_path)]
    with pytest.raises(BadInput, match="holds no model"):
        CliRunner().invoke(score, arguments, catch_exceptions=False)
    assert not (tmp_path / "d").exists()


def test_a_young_book_is_scored_below_the_model_and_says_so(books: Path, tmp_path: Path) -> None:
    young = day_of(60).isoformat()
    arguments = [str(books), "--as-of", young, "--out", str(tmp_path / "e")]
    result = CliRunner().invoke(score, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stderr.count("too few to fit a payment-timing model") == 1
    assert set(pl.read_parquet(tmp_path / "e" / "scores.parquet").get_column("rung")) <= {"customer_history", "book"}
