"""``duecourse backtest`` from a ledger directory to a page, and what it says when it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from duecourse.cli.backtest import backtest
from duecourse.core.errors import NotEnoughData, UsageError
from duecourse.ledger.as_of import View
from duecourse.ledger.write import write_ledger
from duecourse.science.timing import baselines, model
from duecourse.science.timing.empirical import empirical_cdf
from duecourse.science.timing.facts import Facts
from duecourse.science.timing.landmarks import Landmarks
from support.payers import payers


class OwnHistory:
    def cdf(self, facts: Facts, landmarks: Landmarks, horizon: int) -> np.ndarray:
        return empirical_cdf(facts, landmarks, horizon, book_day=int(landmarks.known_day.min()))


@pytest.fixture(autouse=True)
def quick_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Model and regressions have their own tests; here they only have to be there."""

    def fit(view: View, **_options: object) -> OwnHistory:
        return OwnHistory()

    monkeypatch.setattr(model, "fit", fit)
    monkeypatch.setattr(baselines, "_ROUNDS", 5)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("books") / "ledger"
    write_ledger(payers(customers=20, per_month=3, seed=4), path)
    return path


def run(*arguments: object) -> object:
    return CliRunner().invoke(backtest, [str(one) for one in arguments], standalone_mode=False)


def test_it_writes_the_report_twice_the_same_and_prints_the_verdict(ledger: Path, tmp_path: Path) -> None:
    common = (ledger, "--snapshots", "2025-07-01, 2025-06-01", "--horizon", 60, "--threads", 1)
    first = run(*common, "--out", tmp_path / "a")
    assert first.exit_code == 0, first.exception
    assert "open invoices: use the baseline" in first.output
    assert "customer's own distribution" in first.output
    run(*common, "--out", tmp_path / "b")
    for name in ("backtest.json", "backtest.html"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    report = json.loads((tmp_path / "a" / "backtest.json").read_text())
    assert [one["snapshot"] for one in report["snapshots"]] == ["2025-06-01", "2025-07-01"]
    assert set(report["means"]["new"]) == {
        "model", "due_date", "customer_median", "customer_empirical", "customer_history", "book", "lgbm_l2",
        "lgbm_quantile",
    }  # fmt: skip
    page = (tmp_path / "a" / "backtest.html").read_text()
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<svg" in page


def test_json_gives_the_summary_and_nothing_else_on_stdout(ledger: Path, tmp_path: Path) -> None:
    done = run(ledger, "--snapshots", "2025-06-01", "--out", tmp_path / "out", "--threads", 1, "--json")
    summary = json.loads(done.stdout)
    assert summary["gate"]["allowed"] is False
    assert [Path(name).name for name in summary["files"]] == ["backtest.json", "backtest.html"]


def test_results_are_not_overwritten(ledger: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    done = run(ledger, "--snapshots", "2025-06-01", "--out", tmp_path)
    assert isinstance(done.exception, UsageError)
    assert [one.name for one in tmp_path.iterdir()] == ["mine.txt"]


def test_a_snapshot_without_outcomes_writes_nothing(ledger: Path, tmp_path: Path) -> None:
    done = run(ledger, "--snapshots", "2026-05-01", "--out", tmp_path / "out")
    assert isinstance(done.exception, NotEnoughData)
    assert "payments are known until 2025-12-31" in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_a_text_that_is_no_date_is_named(ledger: Path, tmp_path: Path) -> None:
    done = run(ledger, "--snapshots", "2025-06-01,June", "--out", tmp_path / "out")
    assert "'June' is not a date" in str(done.exception)
