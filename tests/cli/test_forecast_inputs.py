"""``forecast`` with what it may be told besides the books: orders, rates, holidays; groups that add up; refusals."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from duecourse.cli.forecast import forecast
from duecourse.cli.forecast_inputs import ForecastInputs
from duecourse.core.calendar import epoch_day
from duecourse.core.errors import BadInput, UsageError
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.write import write_ledger

LAST = date(2026, 6, 1)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An invoice of 100.00 EUR and one of 50.00 USD every day for 20 weeks, paid 15 to 24 days after issue."""
    issued = [LAST - timedelta(days=days) for days in range(140, 0, -1)]
    invoices = pl.DataFrame(
        {
            "invoice_id": [f"I{n:03}" for n in range(280)],
            "customer_id": [f"C{n % 10}" for n in range(280)],
            "issued_on": [*issued, *issued],
            "due_on": [day + timedelta(days=20) for day in [*issued, *issued]],
            "amount_minor": [10_000] * 140 + [5_000] * 140,
            "currency": ["EUR"] * 140 + ["USD"] * 140,
            "paid_on": [day + timedelta(days=15 + n * 7 % 10) for n, day in enumerate([*issued, *issued])],
        }
    )
    allocations = invoices.filter(pl.col("paid_on") < LAST).select(
        ("A" + pl.col("invoice_id")).alias("allocation_id"), "invoice_id", pl.lit("payment").alias("source_kind"),
        pl.col("paid_on").alias("applied_on"), "amount_minor",
    )  # fmt: skip
    path = tmp_path_factory.mktemp("forecast") / "ledger"
    tables = {"invoices": invoices.drop("paid_on"), "allocations": allocations}
    write_ledger(Ledger.from_frames(tables), path, format="csv")
    return path


def run(*arguments: str | Path) -> str:
    given = [*arguments, "--as-of", LAST.isoformat(), "--draws", "200", "--days", "28"]
    seen = CliRunner().invoke(forecast, [str(argument) for argument in given], catch_exceptions=False)
    assert seen.exit_code == 0
    return seen.output


@pytest.fixture(scope="module")
def plain(ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Where the forecast without further options is, and its summary."""
    out = tmp_path_factory.mktemp("plain") / "out"
    return out, json.loads(run(ledger, "--out", out, "--json"))


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_groups_are_written_and_add_up_to_the_weeks(plain: tuple[Path, dict[str, Any]]) -> None:
    groups = pl.read_parquet(plain[0] / "cash_groups.parquet")
    weekly = pl.read_parquet(plain[0] / "cash_weekly.parquet")
    assert groups.columns[:4] == ["dimension", "key", "currency", "week_start"]
    for dimension in ("customer", "entity", "segment"):
        sums = groups.filter(pl.col("dimension") == dimension).group_by("currency", "week_start")
        means = sums.agg(pl.col("mean_minor").sum()).sort("currency", "week_start")
        assert means.get_column("mean_minor").to_list() == weekly.get_column("mean_minor").to_list()
    assert not (plain[0] / "cash_converted.parquet").exists()


def test_the_summary_says_how_much_is_expected_when(plain: tuple[Path, dict[str, Any]]) -> None:
    summary = plain[1]
    euro = [row for row in summary["expected_schedule"] if row["currency"] == "EUR"]
    assert [row["expected"] for row in euro] == ["on_time", "week_late", "later", "not_expected"]
    assert sum(row["percent"] for row in euro) == 100
    assert sum(row["open_minor"] for row in euro) % 10_000 == 0
    assert set(summary["not_expected_within_half_a_year_minor"]) == {"EUR", "USD"}


def test_orders_enter_as_coming_invoices(ledger: Path, plain: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    head = "customer_id,amount,currency,terms_days,issue_on,additional\n"
    orders = written(tmp_path / "orders.csv", head + "C1,90000.00,EUR,0,2026-06-01,true\n")
    more = tmp_path / "more"
    shown = json.loads(run(ledger, "--out", more, "--expected", orders, "--json"))
    new = [
        pl.read_parquet(path / "cash_weekly.parquet").filter(pl.col("currency") == "EUR").get_column("new_mean_minor")
        for path in (plain[0], more)
    ]
    assert 0 < (new[1] - new[0]).sum() <= 9_000_000
    assert "1 expected invoices enter with their issue dates" in shown["notes"]


def test_a_converted_total_is_written_with_its_caution(ledger: Path, tmp_path: Path) -> None:
    rates = written(tmp_path / "rates.csv", "date,currency,rate\n2026-05-29,USD,0.5\n")
    arguments = ("--rates", rates, "--base-currency", "eur")
    shown = run(ledger, "--out", tmp_path / "out", *arguments)
    total = pl.read_parquet(tmp_path / "out" / "cash_converted.parquet")
    weekly = pl.read_parquet(tmp_path / "out" / "cash_weekly.parquet")
    euro, dollar = (weekly.filter(pl.col("currency") == code).get_column("mean_minor") for code in ("EUR", "USD"))
    assert total.get_column("currency").unique().to_list() == ["EUR"]
    assert (total.get_column("mean_minor") - (euro + dollar * 0.5)).abs().max() <= 1
    assert "no uncertainty of exchange rates" in shown
    assert "all currencies, converted" in shown
    assert "of the open EUR amount is expected on schedule" in shown


def test_a_missing_rate_stops_before_anything_is_written(ledger: Path, tmp_path: Path) -> None:
    rates = written(tmp_path / "rates.csv", "date,currency,rate\n2026-05-29,GBP,1.2\n")
    with pytest.raises(BadInput, match="No rate of USD to EUR for 2026-06-01"):
        run(ledger, "--out", tmp_path / "out", "--rates", rates, "--base-currency", "EUR")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--base-currency", "EUR"), "go together"), (("--rates", "r.csv"), "go together"),
        (("--rates", "r.csv", "--base-currency", "XXZ"), "not an ISO 4217"), (("--country", "QQ"), "not an ISO 3166"),
    ],
)  # fmt: skip
def test_options_that_do_not_fit_are_refused(
    ledger: Path, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        run(ledger, "--out", tmp_path / "out", *arguments)


def test_the_country_gives_the_days_on_which_the_business_rests() -> None:
    ireland = ForecastInputs(None, None, None, "ie").checked().holidays(LAST)
    assert epoch_day(LAST) in ireland  # the first Monday in June
    assert epoch_day(date(2026, 5, 4)) in ireland
    assert not len(ForecastInputs(None, None, None, None).checked().holidays(LAST))
