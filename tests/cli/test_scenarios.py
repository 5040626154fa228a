"""``forecast --scenario``: acceptance A16 to A18 through the command line, and refusals that say what to mend."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from duecourse.cli.forecast import forecast
from duecourse.cli.run import run as run_verb
from duecourse.core.errors import BadInput, NotEnoughData, UsageError
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.write import write_ledger
from duecourse.science.simulate import load_world, simulate

AS_OF = "2026-11-02"  # the end of the world "base"
EXAMPLES = Path(__file__).parents[2] / "examples" / "scenarios"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulated company."""
    path = tmp_path_factory.mktemp("scenarios") / "ledger"
    write_ledger(simulate(load_world("base"), customers=20, months=10, seed=4).ledger, path)
    return path


def run(ledger: Path, *files: Path, out: Path, days: int = 91, as_of: str = AS_OF) -> str:
    named = [part for file in files for part in ("--scenario", str(file))]
    size = ["--days", str(days), "--draws", "200"]
    arguments = [str(ledger), "--as-of", as_of, *size, *named, "--out", str(out)]
    seen = CliRunner().invoke(forecast, arguments, catch_exceptions=False)
    assert seen.exit_code == 0
    return seen.output


def summary_of(out: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((out / "scenario_summary.json").read_text(encoding="utf-8"))
    return found


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a16_bands_are_bands_and_do_not_add_up(simulated: Path, tmp_path: Path) -> None:
    """The P10 of a quarter is not the sum of their P10s: the worst weeks do not come together."""
    run(simulated, EXAMPLES / "bad-quarter.toml", out=tmp_path / "out")
    weekly = pl.read_parquet(tmp_path / "out" / "scenario_weekly.parquet").filter(pl.col("currency") == "EUR")
    total = next(one for one in summary_of(tmp_path / "out")[0]["effects"] if one["currency"] == "EUR")
    for side in ("base", "scenario"):
        low, middle, high = (total[side][f"{level}_minor"] for level in ("p10", "p50", "p90"))
        assert low < middle < high
        assert weekly[f"{side}_p10_minor"].sum() < low
        assert weekly[f"{side}_p90_minor"].sum() > high


def test_a17_net_60_for_three_prospects(simulated: Path, tmp_path: Path) -> None:
    """From 1 April: the second quarter lower, the same total later, both anchors shown with their bands."""
    text = (EXAMPLES / "net-60-for-prospects.toml").read_text(encoding="utf-8").replace("2027-01-04", "2027-01-01")
    file = written(tmp_path / "a17.toml", text)
    shown = run(simulated, file, out=tmp_path / "out", days=178)
    daily = pl.read_parquet(tmp_path / "out" / "scenario_daily.parquet").filter(pl.col("currency") == "EUR")
    quarter = daily.filter(pl.col("date").is_between(date(2027, 1, 1), date(2027, 3, 31)))
    by_end = dict(quarter.group_by("end").agg(pl.col("difference_mean_minor").sum()).iter_rows())
    assert by_end["due"] < -5_000_000
    assert by_end["issue"] == 0
    late, kept = (one for one in summary_of(tmp_path / "out")[0]["effects"] if one["currency"] == "EUR")
    assert (late["end"], kept["end"]) == ("due", "issue")
    assert late["in_the_end_mean_minor"] == kept["in_the_end_mean_minor"] == 0
    assert late["difference"]["p90_minor"] < 0
    assert "days late kept" in shown
    assert "pay-day kept" in shown


def monthly_ledger(path: Path) -> Path:
    """One customer, 100,000.00 on the first of each month, net 30, paid on day 43 after the issue."""
    issued = [date(2025 + month // 12, month % 12 + 1, 1) for month in range(14)]
    invoices = pl.DataFrame(
        {
            "invoice_id": [f"I{number:02}" for number in range(14)], "customer_id": ["C1"] * 14, "issued_on": issued,
            "due_on": [day + timedelta(days=30) for day in issued], "amount_minor": [10_000_000] * 14,
            "currency": ["EUR"] * 14,
        }
    )  # fmt: skip
    paid = invoices.with_columns((pl.col("issued_on") + pl.duration(days=43)).alias("applied_on"))
    allocations = paid.filter(pl.col("applied_on") < date(2026, 3, 1)).select(
        ("A" + pl.col("invoice_id")).alias("allocation_id"), "invoice_id", pl.lit("payment").alias("source_kind"),
        "applied_on", "amount_minor",
    )  # fmt: skip
    write_ledger(Ledger.from_frames({"invoices": invoices, "allocations": allocations}), path)
    return path


def test_a18_two_ten_net_30(tmp_path: Path) -> None:
    """100,000 a month, habit day 43, take-up .30, capital 10 %: costs 600.00, gains 265.81, net -334.19, 22.6 %."""
    text = """name = "2/10 net 30"
cost_of_capital = 0.10
[[step]]
kind = "discount"
customers = ["C1"]
from = 2026-03-01
percent = 2
days = 10
net = 30
take_up = 0.30
volume_a_month = 100000
currency = "EUR"
"""
    out = tmp_path / "out"
    shown = run(
        monthly_ledger(tmp_path / "ledger"), written(tmp_path / "a18.toml", text), out=out, as_of="2026-03-01"
    )  # fmt: skip
    (value,) = summary_of(out)[0]["discounts"]
    assert value["real_pay_days"] == 43  # as the books show it
    assert (value["cost_minor"], value["gain_minor"], value["net_minor"]) == (60_000, 26_581, -33_419)
    assert value["break_even_rate"] == pytest.approx(0.226, abs=0.0005)
    assert "costs €600.00, gains €265.81, net -€334.19; brings €29,400.00 33 days forward" in shown
    assert "22.6 % a year" in shown


def test_the_forecast_stays_the_base_forecast(simulated: Path, tmp_path: Path) -> None:
    run(simulated, out=tmp_path / "plain", days=28)
    run(simulated, EXAMPLES / "lose-the-largest.toml", EXAMPLES / "bad-quarter.toml", out=tmp_path / "asked", days=28)
    for name in ("cash_daily", "cash_weekly"):
        plain, asked = (pl.read_parquet(tmp_path / out / f"{name}.parquet") for out in ("plain", "asked"))
        assert plain.equals(asked)
    assert not (tmp_path / "plain" / "scenario_daily.parquet").exists()
    assert not (tmp_path / "plain" / "scenario_summary.json").exists()
    daily = pl.read_parquet(tmp_path / "asked" / "scenario_daily.parquet")
    assert daily["scenario"].unique(maintain_order=True).to_list() == ["The largest customer fails", "A bad quarter"]
    base = pl.read_parquet(tmp_path / "plain" / "cash_daily.parquet")
    same = daily.filter(pl.col("scenario") == "A bad quarter").join(base, on=["date", "currency"])
    assert same.height == base.height
    for level in ("p10", "p50", "p90", "mean"):
        assert same[f"base_{level}_minor"].to_list() == same[f"{level}_minor"].to_list()


@pytest.mark.parametrize("name", sorted(file.name for file in EXAMPLES.glob("*.toml") if "uplift" not in file.name))
def test_every_example_answers_on_a_simulated_company(name: str, simulated: Path, tmp_path: Path) -> None:
    shown = run(simulated, EXAMPLES / name, out=tmp_path / "out", days=84)
    (summary,) = summary_of(tmp_path / "out")
    assert f"What if: {summary['scenario']}" in shown
    assert any(one["difference"]["mean_minor"] for one in summary["effects"])
    assert summary["assumptions"]


def test_the_same_seed_writes_the_same_bytes(simulated: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(simulated, EXAMPLES / "net-60.toml", out=tmp_path / name, days=28)
    for file in ("scenario_daily.parquet", "scenario_weekly.parquet", "scenario_summary.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_bad_files_are_refused_before_any_work_and_nothing_is_written(simulated: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(BadInput, match=r"no-such\.toml: no such file"):
        run(simulated, tmp_path / "no-such.toml", out=out)
    with pytest.raises(BadInput, match="expected a TOML file"):
        run(simulated, written(tmp_path / "broken.toml", 'name = "x'), out=out)
    latin = tmp_path / "latin.toml"
    latin.write_bytes('name = "Größe"'.encode("latin-1"))
    with pytest.raises(BadInput, match="not UTF-8"):
        run(simulated, latin, out=out)
    unknown = 'name = "x"\n[[step]]\nkind = "loss"\ncustomers = ["Nobody & Sons"]\n'
    with pytest.raises(BadInput, match="'Nobody & Sons': expected a customer of these books"):
        run(simulated, written(tmp_path / "unknown.toml", unknown), out=out)
    with pytest.raises(UsageError, match="another scenario is named"):
        run(simulated, EXAMPLES / "net-60.toml", EXAMPLES / "net-60.toml", out=out)
    assert not out.exists()


def test_more_contact_without_measured_effect_is_not_enough_data(simulated: Path, tmp_path: Path) -> None:
    bare = written(tmp_path / "bare.toml", 'name = "x"\n[[step]]\nkind = "collections"\n')
    with pytest.raises(NotEnoughData, match="what is needed: an uplift file") as caught:
        run(simulated, bare, out=tmp_path / "out")
    assert caught.value.exit_code == 4
    text = (EXAMPLES / "uplift-invented.toml").read_text(encoding="utf-8")
    for changed, why in (
        (text.replace("days_earlier_p10 = 1.0", "days_earlier_p10 = -0.2"), "does not show an effect"),
        (text.replace("sample_size = 640", "sample_size = 150"), "cannot tell: an effective sample of 150"),
        (text.replace("overlap = 0.95", "overlap = 0.5"), "with overlap 0.50"),
    ):
        written(tmp_path / "uplift-invented.toml", changed)
        file = written(tmp_path / "more.toml", (EXAMPLES / "more-contact.toml").read_text(encoding="utf-8"))
        with pytest.raises(NotEnoughData, match=why):
            run(simulated, file, out=tmp_path / "out")


def test_run_shows_the_answer_in_its_report_and_writes_its_tables(tmp_path: Path) -> None:
    """The main job with a question: the section, both tables, the summary; and the same forecast on both sides."""
    write_ledger(simulate(load_world("base"), customers=6, months=5, seed=4).ledger, tmp_path / "ledger")
    out = tmp_path / "out"
    question = str(EXAMPLES / "bad-quarter.toml")
    arguments = [str(tmp_path / "ledger"), "--as-of", AS_OF, "--scenario", question, "--out", str(out)]
    seen = CliRunner().invoke(run_verb, arguments, catch_exceptions=False)
    assert seen.exit_code == 0
    assert ">What if</h2>" in (out / "report.html").read_text(encoding="utf-8")
    assert [one["scenario"] for one in summary_of(out)] == ["A bad quarter"]
    asked = pl.read_parquet(out / "scenario_weekly.parquet").sort("currency", "week_start")
    plain = pl.read_parquet(out / "cash_weekly.parquet").sort("currency", "week_start")
    for level in ("p10", "p50", "p90", "mean"):
        assert asked[f"base_{level}_minor"].to_list() == plain[f"{level}_minor"].to_list()
    assert asked["difference_mean_minor"].sum() < 0
