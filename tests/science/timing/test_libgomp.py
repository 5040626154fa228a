from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl

from duecourse.ledger.write import write_ledger
from support.timing_books import day_of, habit_ledger

LINE = (
    "LightGBM cannot start: system library libgomp.so.1 is missing; install libgomp1 (Debian, Ubuntu) or libgomp "
    "(Fedora, RHEL), then run again."
)


def _run(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process where importing lightgbm fails as it does without libgomp1."""
    broken = tmp_path / "broken"
    broken.mkdir(exist_ok=True)
    (broken / "lightgbm.py").write_text("raise OSError('libgomp.so.1: cannot open shared object file')\n")
    source = Path(__file__).resolve().parents[3] / "src"
    environment = {**os.environ, "PYTHONPATH": f"{broken}{os.pathsep}{source}"}
    return subprocess.run(
        [sys.executable, "-c", "from duecourse.cli.main import main; main()", *arguments],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip


def test_train_stops_with_one_line_and_score_goes_on(tmp_path: Path) -> None:
    write_ledger(habit_ledger(invoices=700), tmp_path / "books")
    day = day_of(250).isoformat()
    trained = _run(tmp_path, "train", str(tmp_path / "books"), "--as-of", day, "--model", str(tmp_path / "model"))
    assert trained.returncode == 1
    assert trained.stderr.count(LINE) == 1
    assert "Traceback" not in trained.stderr
    assert not (tmp_path / "model").exists()
    scored = _run(tmp_path, "score", str(tmp_path / "books"), "--as-of", day, "--out", str(tmp_path / "out"))
    assert scored.returncode == 0, scored.stderr
    assert scored.stderr.count(LINE) == 1
    assert set(pl.read_parquet(tmp_path / "out" / "scores.parquet").get_column("rung")) == {"customer_history"}
