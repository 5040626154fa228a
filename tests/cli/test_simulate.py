"""``duecourse simulate``: byte-equal, whole or nothing, with the truth kept aside."""

import hashlib
import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from duecourse.cli.simulate import simulate
from duecourse.core.errors import UsageError
from duecourse.ledger.load import load_ledger


def _run(out: Path, *more: str, seed: int = 4) -> None:
    arguments = ["--world", "base", "--customers", "40", "--months", "6", "--seed", str(seed), "--out", str(out), *more]
    CliRunner().invoke(simulate, arguments, catch_exceptions=False, standalone_mode=False)


def _digests(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_the_same_call_writes_the_same_bytes(tmp_path: Path) -> None:
    for form in ("parquet", "csv"):
        _run(tmp_path / f"{form}1", "--format", form)
        _run(tmp_path / f"{form}2", "--format", form)
        first = _digests(tmp_path / f"{form}1")
        assert first == _digests(tmp_path / f"{form}2")
        assert {"customers", "invoices", "payments", "allocations", "promises"} <= {Path(name).stem for name in first}


def test_the_ledger_loads_in_both_forms_and_truth_is_no_part_of_it(tmp_path: Path) -> None:
    _run(tmp_path / "a")
    _run(tmp_path / "b", "--format", "csv")
    parquet, csv = load_ledger(tmp_path / "a"), load_ledger(tmp_path / "b")
    assert parquet.problems == csv.problems == ()
    for name, frame in parquet.ledger.tables.items():
        assert frame.equals(csv.ledger.table(name), null_equal=True), name
    truth = tmp_path / "a" / "truth"
    assert sorted(path.name for path in truth.iterdir()) == [
        "customers.parquet", "invoices.parquet", "messages.parquet", "promises.parquet", "remittances.parquet",
        "world.json",
    ]  # fmt: skip
    described = json.loads((truth / "world.json").read_text("utf-8"))
    assert described["seed"] == 4
    assert described["world"]["name"] == "base"
    assert pl.read_parquet(truth / "customers.parquet").height == 40


def test_a_plain_ledger_has_the_facts_of_the_told_one_and_no_words(tmp_path: Path) -> None:
    _run(tmp_path / "told")
    _run(tmp_path / "plain", "--plain")
    told, plain = load_ledger(tmp_path / "told").ledger, load_ledger(tmp_path / "plain").ledger
    assert plain.table("invoice_lines").height == 0
    assert plain.table("activities")["text"].null_count() == plain.table("activities").height
    assert told.table("invoice_lines").height > told.table("invoices").height
    assert told.table("allocations").equals(plain.table("allocations"), null_equal=True)
    assert not (tmp_path / "plain" / "truth" / "messages.parquet").exists()


def test_bank_statements_are_written_when_asked_for_and_do_not_outlive_their_company(tmp_path: Path) -> None:
    out = tmp_path / "ledger"
    _run(out, "--bank-months", "2")
    names = {path.parent.name for path in (out / "bank").rglob("*") if path.is_file()}
    assert names == {"camt053", "mt940", "bai2", "csv"}
    months = {path.stem[-7:] for path in (out / "bank" / "csv").iterdir()}
    assert months <= {"2026-10", "2026-11"}
    assert load_ledger(out).problems == ()
    assert pl.read_parquet(out / "truth" / "bank_lines.parquet")["kind"].n_unique() > 2
    _run(out, "--force", seed=5)
    assert not (out / "bank").exists()


def test_results_are_replaced_only_with_force_and_leave_nothing_of_the_old_company(tmp_path: Path) -> None:
    out = tmp_path / "ledger"
    _run(out)
    before = _digests(out)
    with pytest.raises(UsageError, match="already holds results"):
        _run(out, seed=5)
    assert _digests(out) == before
    _run(out, "--force", "--format", "csv", seed=5)
    assert not list(out.glob("*.parquet"))
    assert (out / "invoices.csv").is_file()


def test_an_unknown_world_writes_nothing(tmp_path: Path) -> None:
    arguments = ["--world", "atlantis", "--out", str(tmp_path / "ledger")]
    result = CliRunner().invoke(simulate, arguments, standalone_mode=False)
    assert isinstance(result.exception, UsageError)
    assert "base, exponential, healthy, large, null" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def _run_living(out: Path, *more: str, world: str = "base", seed: int = 4) -> None:
    arguments = [
        "--world", world, "--customers", "40", "--contacts", "random", "--weeks", "3", "--seed", str(seed),
        "--out", str(out), *more,
    ]  # fmt: skip
    CliRunner().invoke(simulate, arguments, catch_exceptions=False, standalone_mode=False)


def test_a_company_whose_contacts_matter_has_decisions_and_its_truth_aside(tmp_path: Path) -> None:
    _run_living(tmp_path / "a")
    _run_living(tmp_path / "b")
    assert _digests(tmp_path / "a") == _digests(tmp_path / "b")
    loaded = load_ledger(tmp_path / "a")
    assert loaded.problems == ()
    decisions = loaded.ledger.table("decisions")
    assert decisions.height > 10
    assert decisions["propensity"].is_between(0, 1).all()
    assert loaded.ledger.table("activities").height > 10
    described = json.loads((tmp_path / "a" / "truth" / "world.json").read_text("utf-8"))
    assert described["world"]["name"] == "base"
    assert described["policies_from"] == "2025-01-06"
    assert described["until"] == "2025-01-27"
    points = pl.read_parquet(tmp_path / "a" / "truth" / "contact_points.parquet")
    assert points["effect_call_service"].max() > 0.5
    _run_living(tmp_path / "null", world="null")
    assert not (tmp_path / "a" / "truth" / "effects.parquet").exists()
    _run_living(tmp_path / "effects", "--effects")
    effects = pl.read_parquet(tmp_path / "effects" / "truth" / "effects.parquet")
    assert effects.filter(~pl.col("decision_id").is_in(decisions["decision_id"].implode())).height == 0
    assert effects.height > 5
    without = pl.read_parquet(tmp_path / "null" / "truth" / "contact_points.parquet")
    assert without["effect_call_service"].to_list() == [0.0] * without.height


def test_a_world_without_a_quiet_form_is_lived_with_the_explored_ladder(tmp_path: Path) -> None:
    arguments = ["--world", "demo", "--customers", "100", "--out", str(tmp_path / "demo")]
    CliRunner().invoke(simulate, arguments, catch_exceptions=False, standalone_mode=False)
    loaded = load_ledger(tmp_path / "demo")
    assert loaded.problems == ()
    assert loaded.ledger.table("decisions").height > 100
    described = json.loads((tmp_path / "demo" / "truth" / "world.json").read_text("utf-8"))
    assert described["until"] == "2026-11-02"
    assert len(described["world"]["stage"]["events"]) == 2


def test_months_are_the_whole_length_of_a_company_that_is_lived(tmp_path: Path) -> None:
    arguments = ["--world", "small", "--customers", "40", "--months", "14", "--plain", "--out", str(tmp_path / "small")]
    CliRunner().invoke(simulate, arguments, catch_exceptions=False, standalone_mode=False)
    invoices = load_ledger(tmp_path / "small").ledger.table("invoices")
    first, last = invoices["issued_on"].min(), invoices["issued_on"].max()
    assert 13 * 30 < (last - first).days < 15 * 31  # type: ignore[operator,union-attr]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--world", "base", "--weeks", "3"], "--weeks counts the weeks under a policy"),
        (["--world", "small", "--weeks", "3", "--months", "14"], "give one of them"),
        (["--world", "base", "--plain", "--bank-months", "2"], "--bank-months needs the references"),
        (["--world", "base", "--effects"], "--effects are those of contacts"),
        (["--world", "exponential", "--contacts", "none"], "expected one of base, demo, drift, harm"),
    ],
)
def test_options_that_do_not_go_together_write_nothing(tmp_path: Path, more: list[str], says: str) -> None:
    result = CliRunner().invoke(simulate, [*more, "--out", str(tmp_path / "ledger")], standalone_mode=False)
    assert isinstance(result.exception, UsageError)
    assert says in str(result.exception)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", [0, 6])
def test_a_company_of_one_customer_and_one_month_is_written_whole(tmp_path: Path, seed: int) -> None:
    """With seed 0 it bills nothing at all."""
    arguments = ["--world", "base", "--customers", "1", "--months", "1", "--bank-months", "1", "--seed", str(seed)]
    CliRunner().invoke(
        simulate, [*arguments, "--out", str(tmp_path / "tiny")], catch_exceptions=False, standalone_mode=False
    )
    loaded = load_ledger(tmp_path / "tiny")
    assert loaded.problems == ()
    assert loaded.ledger.table("customers").height >= 1
    assert (loaded.ledger.table("invoices").height == 0) == (seed == 0)
