"""``duecourse plan`` end to end on a small ledger: files, replay, cache, refusals with their cure."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from duecourse.cli.plan import plan
from duecourse.core.errors import BadInput, UsageError
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.schema import TABLES
from duecourse.ledger.write import write_ledger
from support.small_books import AS_OF, Book


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = Book()
    for number in range(12):
        name = f"C{number:02}"
        book.customer(name).history(name, [number, number + 2, 1] * 3, first_due=380)
        book.invoice(f"{name}-open", name, days_late=4 * number - 8, minor=10_000 * (number + 1))
    path = tmp_path_factory.mktemp("books") / "ledger"
    write_ledger(book.ledger(), path)
    return path


def run(ledger: Path, out: Path, *options: str) -> Result:
    return CliRunner().invoke(plan, [str(ledger), "--as-of", str(AS_OF), "--out", str(out), *options])


def files_of(directory: Path) -> dict[str, bytes]:
    return {str(f.relative_to(directory)): f.read_bytes() for f in sorted(directory.rglob("*")) if f.is_file()}


def test_plan_writes_its_tables_and_drafts_and_says_what_it_assumed(ledger: Path, tmp_path: Path) -> None:
    result = run(ledger, tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    worklist = pl.read_parquet(tmp_path / "out" / "worklist.parquet")
    decisions = pl.read_parquet(tmp_path / "out" / "decisions.parquet")
    not_worked = pl.read_parquet(tmp_path / "out" / "not_worked.parquet")
    assert worklist.columns[:15] == [
        "rank", "customer_id", "name", "open_minor", "collectible_minor", "days_late_max", "arm", "contact_id",
        "send_at", "why", "expected_gain_minor", "minutes", "gain_per_hour_minor", "draft", "needs_human",
    ]  # fmt: skip
    assert worklist.height + not_worked.height == 12
    assert decisions.height == 12
    assert summary["to_contact"] == worklist.height > 0
    assert sum(summary["not_worked"].values()) == not_worked.height
    drafts = {file.name for file in (tmp_path / "out" / "drafts").iterdir()}
    assert drafts == set(worklist.get_column("draft")) - {""}
    assert "not measured effects" in summary["assumptions"][0]
    # The log can be put back into the ledger as it is.
    Ledger.from_frames({"invoices": TABLES["invoices"].empty(), "decisions": decisions})


def test_the_same_input_and_seed_give_the_same_bytes_with_and_without_cache(ledger: Path, tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    for name, options in (("plain", []), ("fills", ["--state", state]), ("uses", ["--state", state])):
        result = run(ledger, tmp_path / name, "--seed", "5", *options)
        assert result.exit_code == 0, result.output
    plain = files_of(tmp_path / "plain")
    assert len(plain) > 6
    assert files_of(tmp_path / "fills") == plain
    assert files_of(tmp_path / "uses") == plain
    (next((tmp_path / "state").iterdir()) / "scores.parquet").write_bytes(b"broken")
    assert run(ledger, tmp_path / "again", "--seed", "5", "--state", state).exit_code == 0
    assert files_of(tmp_path / "again") == plain


def test_scores_of_an_earlier_run_are_taken_in_either_form(ledger: Path, tmp_path: Path) -> None:
    from duecourse.cli.score import score

    for form in ("parquet", "csv"):
        made = CliRunner().invoke(score, [str(ledger), "--as-of", str(AS_OF), "--out", str(tmp_path / form),
                                          "--format", form])  # fmt: skip
        assert made.exit_code == 0, made.output
        result = run(ledger, tmp_path / f"plan-{form}", "--scores", str(tmp_path / form), "--format", "csv")
        assert result.exit_code == 0, result.output
    assert files_of(tmp_path / "plan-parquet") == files_of(tmp_path / "plan-csv")
    other = CliRunner().invoke(plan, [str(ledger), "--as-of", "2026-05-30", "--out", str(tmp_path / "no"),
                                      "--scores", str(tmp_path / "csv")])  # fmt: skip
    assert isinstance(other.exception, BadInput)
    assert "of another day" in str(other.exception)


def test_the_default_capacity_is_said(ledger: Path, tmp_path: Path) -> None:
    result = run(ledger, tmp_path / "out")
    assert "no --capacity given: planning for one collector with 420 minutes a day" in result.stderr
    assert "left alone" in result.stdout


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        (["--capacity", "missing.json"], BadInput, "cannot be read"),
        (["--scores", "nowhere"], BadInput, "run `duecourse score`"),
        (["--scores", "a", "--model", "b"], UsageError, "not both"),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_is_written(
    ledger: Path, tmp_path: Path, options: list[str], error: type[Exception], said: str
) -> None:
    result = run(ledger, tmp_path / "out", *options)
    assert isinstance(result.exception, error)
    assert said in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_a_bad_capacity_is_reported_with_all_its_problems(ledger: Path, tmp_path: Path) -> None:
    (tmp_path / "capacity.json").write_text('{"minutes_per_day": -5, "horizon_days": 7, "arms": {"mail": {}}}')
    result = run(ledger, tmp_path / "out", "--capacity", str(tmp_path / "capacity.json"))
    assert isinstance(result.exception, BadInput)
    assert len(result.exception.problems) == 2
    assert not (tmp_path / "out").exists()


def test_the_learned_policy_plans_says_what_it_rests_on_and_replays_byte_for_byte(ledger: Path, tmp_path: Path) -> None:
    first = run(ledger, tmp_path / "one", "--policy", "learned", "--seed", "5")
    again = run(ledger, tmp_path / "two", "--policy", "learned", "--seed", "5")
    assert first.exit_code == again.exit_code == 0, first.output
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    assert "this ledger holds no decision that was drawn by lot" in first.stdout
    decisions = pl.read_parquet(tmp_path / "one" / "decisions.parquet")
    assert set(decisions.get_column("policy")) == {"learned"}
    for chances in decisions.get_column("propensities"):
        assert abs(sum(json.loads(chances).values()) - 1) < 1e-9
    prior = decisions.get_column("prior_id").unique().to_list()
    assert len(prior) == 1
    assert prior[0].startswith("family-1-8/")


def test_a_broken_decision_log_is_said_and_the_ladder_plans(ledger: Path, tmp_path: Path) -> None:
    from duecourse.ledger.load import load_ledger

    whole = load_ledger(ledger).ledger
    log = pl.DataFrame([{
        "decision_id": "D1", "decided_at": None, "customer_id": "C03", "arm": "email_soft",
        "propensities": '{"none":0.5,"email_soft":0.3}',
    }]).with_columns(decided_at=pl.datetime(2026, 5, 4, time_zone="UTC"))  # fmt: skip
    broken = Ledger.from_frames({**whole.tables, "decisions": log})
    write_ledger(broken, tmp_path / "ledger")
    result = run(tmp_path / "ledger", tmp_path / "out", "--policy", "learned")
    assert result.exit_code == 0, result.output
    assert "The ladder planned instead of the learned policy" in result.stdout
    assert " by ladder (" in result.stdout
    assert "propensities sum to 0.8, not to 1" in result.stdout
    assert set(pl.read_parquet(tmp_path / "out" / "decisions.parquet").get_column("policy")) == {"ladder"}


def test_autonomy_says_what_is_to_be_done_and_a_bad_file_stops_before_anything_is_written(
    ledger: Path, tmp_path: Path
) -> None:
    file = tmp_path / "autonomy.toml"
    file.write_text("level = 1\n", encoding="utf-8")
    result = run(ledger, tmp_path / "shadow", "--autonomy", str(file))
    assert result.exit_code == 0, result.output
    worklist = pl.read_parquet(tmp_path / "shadow" / "worklist.parquet")
    assert set(worklist.get_column("execution")) == {"shadow"}
    assert f"{worklist.height} of these are in shadow" in result.stdout
    file.write_text("kill_switch = true\n", encoding="utf-8")
    summary = json.loads(run(ledger, tmp_path / "killed", "--autonomy", str(file), "--json").stdout)
    assert summary["assumptions"][0].startswith("Kill switch: the ladder planned for everybody")
    assert summary["policy"] == "ladder"  # the one that planned, not the one that was asked for
    assert set(summary["execution"]) == {"approve"}
    file.write_text("[levels]\nemail_firm = 4\n", encoding="utf-8")
    bad = run(ledger, tmp_path / "bad", "--autonomy", str(file))
    assert isinstance(bad.exception, BadInput)
    assert "levels.email_firm" in str(bad.exception)
    assert not (tmp_path / "bad").exists()
    missing = run(ledger, tmp_path / "bad", "--autonomy", str(tmp_path / "none.toml"))
    assert isinstance(missing.exception, BadInput)
    assert "cannot be read" in str(missing.exception)
