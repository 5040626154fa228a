"""``duecourse evaluate`` from a ledger directory to its files, its answer on the terminal, and its refusals."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from duecourse.cli.evaluate import evaluate
from duecourse.cli.evaluate_targets import target_of
from duecourse.core.errors import BadInput, NotEnoughData, UsageError
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.schema import ARMS
from duecourse.ledger.write import write_ledger
from duecourse.science.decisions import DEFAULT_CAPACITY, plan
from duecourse.science.evaluate.audit import propensity_audit
from duecourse.science.evaluate.decision_log import read_log
from duecourse.science.evaluate.features import with_payer
from duecourse.science.timing.predict import predict
from support.decided_books import decided_ledger
from support.small_books import AS_OF, Book


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("books") / "ledger"
    write_ledger(decided_ledger(payers=60, weeks=30), path)
    return path


def run(ledger: Path, *options: object) -> Result:
    arguments = [str(ledger), *(str(option) for option in options)]
    return CliRunner().invoke(evaluate, arguments, standalone_mode=False)


def test_it_writes_the_answer_twice_the_same_and_prints_it(ledger: Path, tmp_path: Path) -> None:
    first = run(ledger, "--policy", "none", "--as-of", "2025-09-01", "--out", tmp_path / "a")
    assert first.exit_code == 0, first.exception
    report = json.loads((tmp_path / "a" / "evaluation.json").read_text())
    assert report["sentence"] in first.stdout
    assert "1,800 logged decisions" in first.stdout
    run(ledger, "--policy", "none", "--as-of", "2025-09-01", "--out", tmp_path / "b")
    for name in ("evaluation.json", "evaluation.html"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    page = (tmp_path / "a" / "evaluation.html").read_text()
    assert "Would contacting nobody have been better?" in page
    assert page.index(report["sentence"]) < page.index("The policy in question minus")


def test_json_gives_the_summary_and_nothing_else_on_stdout(ledger: Path, tmp_path: Path) -> None:
    done = run(ledger, "--policy", "none", "--as-of", "2025-09-01", "--out", tmp_path / "out", "--json")
    summary = json.loads(done.stdout)
    assert summary["policy"] == "none"
    assert summary["answer"] in ("better", "worse", "cannot_tell")
    assert [Path(name).name for name in summary["files"]] == ["evaluation.json", "evaluation.html"]


def test_no_answer_is_exit_code_4_with_the_sentence_and_the_files(ledger: Path, tmp_path: Path) -> None:
    done = run(ledger, "--policy", "none", "--as-of", "2025-02-10", "--out", tmp_path / "out")
    assert isinstance(done.exception, NotEnoughData)
    assert done.exception.exit_code == 4
    report = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert report["answer"] == "refused"
    assert report["sentence"] in str(done.exception)
    assert "No answer" in (tmp_path / "out" / "evaluation.html").read_text()


def test_the_ladder_is_planned_again_from_each_morning(ledger: Path, tmp_path: Path) -> None:
    """The books of this test never drew a firm e-mail or a firm call, which the ladder wants."""
    done = run(ledger, "--policy", "ladder", "--as-of", "2025-03-24", "--out", tmp_path / "out")
    report = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert report["arms"]["email_firm"]["drawn"] == 0
    assert report["arms"]["email_firm"]["policy"] > 0
    assert sum(one["policy"] for one in report["arms"].values()) == pytest.approx(
        sum(one["drawn"] for one in report["arms"].values())
    )
    assert "planning 11 past days again by ladder" in done.output or done.exception is not None


def test_a_later_fact_changes_no_past_choice() -> None:
    ledger = decided_ledger(payers=12, weeks=8)
    log = read_log(ledger.as_of(AS_OF))
    rows = with_payer(log.rows, ledger.as_of(AS_OF))
    early = rows.filter(pl.col("decided_on") == rows.get_column("decided_on").min())
    say: list[str] = []

    def choices(books: Ledger) -> list[list[float]]:
        target = target_of("ladder", books, DEFAULT_CAPACITY, seed=0, say=say.append)
        return target(early).tolist()  # type: ignore[no-any-return]

    day = early.item(0, "decided_on")
    past = {name: ledger.as_of(day).table(name).drop("first_recorded_at") for name in ledger.tables}
    assert choices(ledger) == choices(Ledger.from_frames(past))
    assert say[0] == "planning 1 past days again by ladder"
    matrix = choices(ledger)
    assert all(sum(row) == pytest.approx(1.0) for row in matrix)
    assert any(row[ARMS.index("none")] < 1 for row in matrix)


def test_a_ledger_without_a_log_is_refused_and_says_what_to_keep(tmp_path: Path) -> None:
    write_ledger(Book().customer("C").invoice("I", "C", days_late=5).ledger(), tmp_path / "ledger")
    done = run(tmp_path / "ledger", "--policy", "ladder", "--out", tmp_path / "out")
    assert isinstance(done.exception, NotEnoughData)
    assert "holds no decision log" in str(done.exception)


def test_wrong_usage_and_bad_input_write_nothing(ledger: Path, tmp_path: Path) -> None:
    assert isinstance(run(tmp_path / "absent", "--policy", "none", "--out", tmp_path / "o").exception, BadInput)
    broken = tmp_path / "capacity.json"
    broken.write_text('{"arms": 3}')
    done = run(ledger, "--policy", "ladder", "--capacity", broken, "--out", tmp_path / "o")
    assert isinstance(done.exception, BadInput)
    assert not (tmp_path / "o").exists()
    (tmp_path / "mine.txt").write_text("x")
    assert isinstance(run(ledger, "--policy", "none", "--out", tmp_path).exception, UsageError)
    assert run(ledger, "--policy", "astrology", "--out", tmp_path / "o").exit_code != 0
    with pytest.raises(UsageError, match="needs a capacity"):
        target_of("ladder", decided_ledger(payers=2, weeks=2), None, seed=0, say=print)


def own_log(policy: str) -> Ledger:
    """Four weekly plans of a policy, each put back into the ledger as it is."""
    book = Book()
    for number in range(40):
        name = f"C{number:02}"
        book.customer(name).history(name, [number % 9, 2, 1] * 3, first_due=480)
        book.invoice(f"{name}-open", name, days_late=3 * number - 20, minor=10_000 * (number + 1))
    ledger = book.ledger()
    for weeks in (9, 8, 7, 6):
        day = AS_OF - timedelta(weeks=weeks)
        view = ledger.as_of(day)
        made = plan(view, predict(None, view), policy=policy, capacity=DEFAULT_CAPACITY, seed=0).decisions
        logged = [made] if "decisions" not in ledger.tables else [ledger.table("decisions"), made]
        ledger = Ledger.from_frames({**ledger.tables, "decisions": pl.concat(logged, how="diagonal_relaxed")})
    return ledger


def test_identity_the_ladder_told_again_does_what_the_ladder_did(tmp_path: Path) -> None:
    ledger = own_log("ladder")
    rows = with_payer(read_log(ledger.as_of(AS_OF)).rows, ledger.as_of(AS_OF))
    chosen = target_of("ladder", ledger, DEFAULT_CAPACITY, seed=0, say=lambda _: None)(rows)
    assert [ARMS[place] for place in chosen.argmax(axis=1)] == rows.get_column("arm").to_list()
    write_ledger(ledger, tmp_path / "ledger")
    done = run(tmp_path / "ledger", "--policy", "ladder", "--as-of", AS_OF, "--out", tmp_path / "out")
    report = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    paid = report["outcomes"][0]
    assert paid["support"]["overlap"] == 1.0
    assert paid["support"]["ess"] == pytest.approx(paid["decisions"])
    assert paid["gain"]["estimate"] == pytest.approx(0.0, abs=0.02)
    # its decisions were certain, so nothing else can be asked of this log
    assert report["log"]["certain"] == report["log"]["decisions"]
    other = run(tmp_path / "ledger", "--policy", "none", "--as-of", AS_OF, "--out", tmp_path / "none")
    assert isinstance(other.exception, NotEnoughData)
    assert done.exception is None or "needs about" in str(done.exception)


@pytest.mark.parametrize("policy", ["ladder", "value_at_stake", "learned"])
def test_what_plan_logs_evaluate_can_read(policy: str) -> None:
    """Every row of every policy's log is whole: propensities sum to 1 and cover exactly the unmasked arms."""
    log = read_log(own_log(policy).as_of(AS_OF))
    assert log.faults == {}
    assert log.n == log.total > 40
    assert propensity_audit(log.propensities, log.arm).impossible == 0


def test_the_gates_of_autonomy_are_printed_and_stand_on_the_page(ledger: Path, tmp_path: Path) -> None:
    file = tmp_path / "autonomy.toml"
    file.write_text("level = 1\n[levels]\nemail_soft = 2\n[segments.new]\nsms_soft = 2\n", encoding="utf-8")
    options = ("--policy", "none", "--as-of", "2025-09-01", "--autonomy", file, "--out", tmp_path / "out")
    done = run(ledger, *options)
    assert done.exit_code == 0, done.exception
    assert "  email soft: stays at level 2 (approve): 500 approved acts are needed (so far 0); " in done.stdout
    assert "  call service: stays at level 1 (shadow): 4 weeks of shadow are needed (so far 0); " in done.stdout
    assert "  sms soft: stays at level 1 (shadow): " in done.stdout  # named for one segment only: the general level
    page = (tmp_path / "out" / "evaluation.html").read_text()
    assert "Gates of autonomy" in page
    assert "500 approved acts are needed (so far 0)" in page
    plain = run(ledger, "--policy", "none", "--as-of", "2025-09-01", "--out", tmp_path / "plain")
    assert "stays at level" not in plain.stdout
    assert "Gates of autonomy" not in (tmp_path / "plain" / "evaluation.html").read_text()
    file.write_text("level = 9\n", encoding="utf-8")
    bad = run(ledger, *options[:-1], tmp_path / "bad")
    assert isinstance(bad.exception, BadInput)
    assert not (tmp_path / "bad").exists()
