"""The verb ``forecast``: columns of the contract, days that add up to weeks, and refusals that say why."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from duecourse.cli.forecast import forecast
from duecourse.core.errors import NotEnoughData
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.write import write_ledger

COLUMNS = ["currency", "p10_minor", "p50_minor", "p90_minor", "mean_minor", "open_mean_minor", "new_mean_minor"]
LAST = date(2026, 6, 1)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One invoice of 100.00 a day in EUR for 20 weeks, each paid 20 days after issue."""
    issued = [LAST - timedelta(days=days) for days in range(140, 0, -1)]
    invoices = pl.DataFrame(
        {
            "invoice_id": [f"I{n:03}" for n in range(140)],
            "customer_id": [f"C{n % 10}" for n in range(140)],
            "issued_on": issued,
            "due_on": [day + timedelta(days=20) for day in issued],
            "amount_minor": [10_000] * 140,
            "currency": ["EUR"] * 140,
        }
    )
    paid = invoices.filter(pl.col("due_on") < LAST)
    allocations = paid.select(
        ("A" + pl.col("invoice_id")).alias("allocation_id"), "invoice_id", pl.lit("payment").alias("source_kind"),
        pl.col("due_on").alias("applied_on"), "amount_minor",
    )  # fmt: skip
    path = tmp_path_factory.mktemp("forecast") / "ledger"
    write_ledger(Ledger.from_frames({"invoices": invoices, "allocations": allocations}), path, format="csv")
    return path


def run(*arguments: str | Path) -> str:
    seen = CliRunner().invoke(forecast, [str(argument) for argument in arguments], catch_exceptions=False)
    assert seen.exit_code == 0
    return seen.output


def test_days_add_up_to_weeks_and_steady_business_stays_steady(ledger: Path, tmp_path: Path) -> None:
    shown = run(ledger, "--as-of", LAST.isoformat(), "--days", "28", "--draws", "300", "--out", tmp_path / "out")
    daily = pl.read_parquet(tmp_path / "out" / "cash_daily.parquet")
    weekly = pl.read_parquet(tmp_path / "out" / "cash_weekly.parquet")
    assert daily.columns == ["date", *COLUMNS]
    assert weekly.columns == ["week_start", *COLUMNS]
    assert (daily.height, weekly.height) == (28, 4)
    assert daily.get_column("mean_minor").sum() == weekly.get_column("mean_minor").sum()
    # Everybody pays on the due date and business is steady: about 700.00 arrive every week.
    for mean in weekly.get_column("mean_minor"):
        assert mean == pytest.approx(70_000, rel=0.1)
    assert weekly.get_column("new_mean_minor")[0] == 0
    assert weekly.get_column("open_mean_minor")[3] < 10_000
    assert "€" in shown


def test_the_same_seed_writes_the_same_bytes(ledger: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(ledger, "--as-of", LAST.isoformat(), "--draws", "200", "--seed", "4", "--out", tmp_path / name)
    first, second = ((tmp_path / name / "cash_weekly.parquet").read_bytes() for name in ("a", "b"))
    assert first == second


def test_a_day_before_the_books_begin_is_not_enough_data(ledger: Path, tmp_path: Path) -> None:
    with pytest.raises(NotEnoughData, match="later --as-of"):
        run(ledger, "--as-of", "2025-01-01", "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()
