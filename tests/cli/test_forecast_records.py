"""``forecast --records``: forecasts are kept, scored when mature, never changed; enough of them fit the bands."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from duecourse.cli.forecast import forecast
from duecourse.core.errors import BadInput, UsageError
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.write import write_ledger

FIRST, LAST = date(2026, 1, 1), date(2026, 6, 29)


def books(*, corrected: bool = False) -> Ledger:
    """One invoice of 100.00 a day in EUR, each paid 20 days after issue; corrected: one payment was of 1,000.00."""
    issued = [FIRST + timedelta(days=day) for day in range((LAST - FIRST).days)]
    n = len(issued)
    big = date(2026, 5, 12)
    invoices = pl.DataFrame(
        {
            "invoice_id": [f"I{k:03}" for k in range(n)], "customer_id": [f"C{k % 10}" for k in range(n)],
            "issued_on": issued, "due_on": [day + timedelta(days=20) for day in issued], "currency": ["EUR"] * n,
            "amount_minor": [100_000 if corrected and day == big else 10_000 for day in issued],
        }
    )  # fmt: skip
    allocations = invoices.filter(pl.col("due_on") < LAST).select(
        ("A" + pl.col("invoice_id")).alias("allocation_id"), "invoice_id", pl.lit("payment").alias("source_kind"),
        pl.col("due_on").alias("applied_on"), "amount_minor",
    )  # fmt: skip
    return Ledger.from_frames({"invoices": invoices, "allocations": allocations})


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("books") / "ledger"
    write_ledger(books(), path, format="csv")
    return path


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corrected") / "ledger"
    write_ledger(books(corrected=True), path, format="csv")
    return path


def run(ledger: Path, day: str, records: Path, out: Path) -> dict[str, object]:
    arguments = [str(ledger), "--as-of", day, "--records", str(records), "--out", str(out), "--json", "--days", "28",
                 "--draws", "200"]  # fmt: skip
    seen = CliRunner().invoke(forecast, arguments, catch_exceptions=False)
    assert seen.exit_code == 0
    made: dict[str, object] = json.loads(seen.stdout)
    return made


def test_a_forecast_is_kept_and_scored_once_it_is_mature(ledger: Path, tmp_path: Path) -> None:
    records = tmp_path / "records"
    first = run(ledger, "2026-05-25", records, tmp_path / "a")
    assert any("0 of the 13 mature" in str(line) for line in first["notes"])  # type: ignore[attr-defined]
    (kept,) = records.glob("forecast-2026-05-25-*.json")
    assert kept.read_bytes() == (tmp_path / "a" / "forecast_record.json").read_bytes()
    assert not (tmp_path / "a" / "forecast_scores.parquet").exists()
    run(ledger, "2026-06-10", records, tmp_path / "b")
    scores = pl.read_parquet(tmp_path / "b" / "forecast_scores.parquet")
    week = scores.filter((pl.col("part") == "total") & (pl.col("method") == "model"))
    assert week.select("first_day", "last_day", "actual_minor").rows() == [(0, 7, 70_000)]  # 7-14 ends on 7 June + 3
    assert set(scores.get_column("method")) >= {"due_date", "last_4", "last_13", "customer_median", "independent"}


def test_scoring_twice_gives_the_same_bytes_and_a_correction_a_second_score(
    ledger: Path, corrected: Path, tmp_path: Path
) -> None:
    records = tmp_path / "records"
    run(ledger, "2026-05-25", records, tmp_path / "a")
    run(ledger, "2026-06-12", records, tmp_path / "b")
    stored = (records / "forecast_scores.parquet").read_bytes()
    run(ledger, "2026-06-12", records, tmp_path / "c")
    assert (records / "forecast_scores.parquet").read_bytes() == stored
    run(corrected, "2026-06-12", records, tmp_path / "d")
    scores = pl.read_parquet(records / "forecast_scores.parquet")
    week = (pl.col("part") == "total") & (pl.col("method") == "model") & (pl.col("last_day") == 14)
    amounts = scores.filter(week & (pl.col("first_day") == 7)).get_column("actual_minor").to_list()
    assert amounts == [70_000, 160_000]
    assert scores.filter(week & (pl.col("first_day") == 7)).get_column("record_id").n_unique() == 1


def test_a_record_that_was_edited_or_thrown_away_after_scoring_stops_the_verb(ledger: Path, tmp_path: Path) -> None:
    records = tmp_path / "records"
    run(ledger, "2026-05-25", records, tmp_path / "a")
    run(ledger, "2026-06-12", records, tmp_path / "b")
    (kept,) = records.glob("forecast-2026-05-25-*.json")
    text = kept.read_text()
    kept.write_text(text.replace('"seed":0', '"seed":1'))
    with pytest.raises(BadInput, match="changed after it was frozen"):
        run(ledger, "2026-06-15", records, tmp_path / "c")
    kept.unlink()
    with pytest.raises(BadInput, match="removed or changed"):
        run(ledger, "2026-06-15", records, tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_a_file_is_no_directory_of_records(ledger: Path, tmp_path: Path) -> None:
    file = tmp_path / "records"
    file.write_text("x")
    with pytest.raises(UsageError, match="names a directory"):
        run(ledger, "2026-05-25", file, tmp_path / "out")
