"""``duecourse plan``: who to contact today, how and why, and who is left alone and why not."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click
import polars as pl

from duecourse import __version__
from duecourse.cli.common import (
    as_of_option,
    force_option,
    format_option,
    json_option,
    ledger_argument,
    note,
    out_option,
    print_summary,
    read_source,
    refuse_existing,
    resolve_as_of,
    result_directory,
    seed_option,
    step,
    threads_option,
    write_frames,
)
from duecourse.cli.score import usable_model
from duecourse.cli.train import gate_option
from duecourse.core.errors import BadInput, Problem, UsageError
from duecourse.core.ids import sha256_hex

if TYPE_CHECKING:
    from duecourse.ledger.as_of import Ledger
    from duecourse.science.decisions import Autonomy, Capacity, Plan

SHOWN = 10  # rows of the worklist that are printed


@dataclass(frozen=True)
class Scored:
    """Predictions and where they come from; ``notes`` are for the reader."""

    scores: pl.DataFrame
    curves: pl.DataFrame
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scoring:
    """How predictions are made when none are given."""

    model_dir: Path | None
    seed: int
    threads: int
    gate: bool
    quiet: bool


@click.command("plan")
@ledger_argument
@as_of_option
@click.option(
    "--policy",
    type=click.Choice(["ladder", "value_at_stake", "learned"]),
    default="value_at_stake",
    show_default=True,
    help="ladder and value_at_stake follow fixed rules; learned weighs measured effects of contacts.",
)
@click.option("--capacity", "capacity_file", type=click.Path(path_type=Path), help="capacity.json: minutes and arms.")
@click.option(
    "--autonomy", "autonomy_file", type=click.Path(path_type=Path),
    help="autonomy.toml: holdout, levels by arm and segment, kill switch.",
)  # fmt: skip
@click.option("--scores", "scores_dir", type=click.Path(path_type=Path), help="Results of `score` for the same day.")
@click.option("--model", "model_dir", type=click.Path(path_type=Path), help="A model of `train`.")
@click.option("--state", type=click.Path(path_type=Path), help="Directory for a cache; changes nothing but speed.")
@out_option
@seed_option
@threads_option
@gate_option
@format_option
@force_option
@json_option
def plan(
    *,
    ledger: Path,
    as_of: date | None,
    policy: str,
    capacity_file: Path | None,
    autonomy_file: Path | None,
    scores_dir: Path | None,
    model_dir: Path | None,
    state: Path | None,
    out: Path,
    seed: int,
    threads: int,
    gate: bool,
    file_format: str,
    force: bool,
    as_json: bool,
) -> None:
    """Rank whom to contact about LEDGER, how and why; writes worklist, decisions, not_worked and drafts."""
    from duecourse.science.decisions import plan as make_plan
    from duecourse.science.decisions import policy_version
    from duecourse.science.language import draft_worklist

    policy_version(policy)
    refuse_existing(out, force=force)
    if scores_dir is not None and model_dir is not None:
        raise UsageError("give --scores or --model, not both: scores need no model")
    capacity = the_capacity(capacity_file, quiet=as_json)
    autonomy = the_autonomy(autonomy_file)
    source = read_source(ledger, quiet=as_json)
    day = resolve_as_of(as_of, source.ledger)
    scoring = Scoring(model_dir, seed, threads, gate, as_json)
    scored = read_scores(scores_dir, day) if scores_dir is not None else predictions(source.ledger, day, scoring, state)
    for line in scored.notes:
        note(f"note: {line}", quiet=as_json)
    with step("planning and drafting", quiet=as_json):
        try:
            made = make_plan(
                source.ledger.as_of(day), scored, policy=policy, capacity=capacity, seed=seed, autonomy=autonomy,
                drafter=draft_worklist,
            )  # fmt: skip
        except ValueError as error:  # curves of another day or another ledger
            raise BadInput(f"{scores_dir or ledger}: {error}") from None
    with result_directory(out, force=force) as work:
        write_plan(work, made, file_format)
    print_summary(_summary(made, out, day), as_json=as_json, text=_text(made, out, day))


def the_capacity(file: Path | None, *, quiet: bool) -> Capacity:
    """The capacity of ``file``, or the default with a word about it. Raises BadInput for an unusable file."""
    from duecourse.science.decisions import DEFAULT_CAPACITY, read_capacity

    if file is None:
        default = DEFAULT_CAPACITY
        arms = ", ".join(default.arms)
        note(
            f"no --capacity given: planning for one collector with {default.minutes_per_day:g} minutes a day, "
            f"{default.horizon_days} days ahead, and the arms {arms}",
            quiet=quiet,
        )
        return default
    return read_capacity(_settings_text(file), file=str(file))


def the_autonomy(file: Path | None) -> Autonomy:
    """The autonomy of ``file``; without one a person approves every act. Raises BadInput for an unusable file."""
    from duecourse.science.decisions import Autonomy, read_autonomy

    return Autonomy() if file is None else read_autonomy(_settings_text(file), file=str(file))


def _settings_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise BadInput(f"{file} cannot be read: {reason}") from None


def write_plan(directory: Path, made: Plan, file_format: str) -> None:
    """worklist, decisions and not_worked as tables, the drafts as text files, what is assumed as plain lines."""
    frames = {
        "worklist": made.worklist, "decisions": made.decisions, "not_worked": made.not_worked,
        "resolution": made.resolution,
    }  # fmt: skip
    write_frames(directory, frames, file_format)
    (directory / "drafts").mkdir()
    for name, text in made.drafts.items():
        (directory / "drafts" / name).write_text(text, encoding="utf-8")
    (directory / "assumptions.txt").write_text("\n".join(made.assumptions) + "\n", encoding="utf-8")


def read_scores(directory: Path, day: date) -> Scored:
    """Scores and curves that ``score`` wrote for ``day``. Raises BadInput when they are not there or of another day."""
    frames = {}
    for name in ("scores", "curves"):
        parquet, csv = directory / f"{name}.parquet", directory / f"{name}.csv"
        if not parquet.exists() and not csv.exists():
            raise BadInput(f"{directory} holds no {name}.parquet or {name}.csv; run `duecourse score` with this --out")
        try:
            frames[name] = pl.read_parquet(parquet) if parquet.exists() else _read_csv(csv)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise BadInput(f"{directory}: {name} cannot be read: {error}") from None
    _check_columns(directory, frames)
    days = {str(value) for value in frames["scores"].get_column("as_of").unique().to_list()}
    if days - {str(day)}:
        problem = Problem(str(directory / "scores"), None, "as_of", ", ".join(sorted(days)), str(day), "score that day")
        raise BadInput("the scores are of another day than the plan", (problem,))
    return Scored(frames["scores"], frames["curves"])


def _read_csv(file: Path) -> pl.DataFrame:
    """A result table in CSV form; ids stay text, and the mark that keeps spreadsheets from computing is taken off."""
    frame = pl.read_csv(
        file, try_parse_dates=True, schema_overrides={"invoice_id": pl.String, "customer_id": pl.String}
    )
    ids = [name for name in ("invoice_id", "customer_id") if name in frame.columns]
    return frame.with_columns(pl.col(ids).str.replace(r"^'([=+\-@])", "$1"))


def _check_columns(directory: Path, frames: dict[str, pl.DataFrame]) -> None:
    needed = {
        "scores": ("invoice_id", "customer_id", "as_of", "p_never", "segment", "rung"),
        "curves": ("invoice_id", "day", "cdf"),
    }
    missing = tuple(
        Problem(str(directory / name), None, column, None, "this column of the contract", "run `duecourse score` again")
        for name, columns in needed.items()
        for column in columns
        if column not in frames[name].columns
    )
    if missing:
        raise BadInput("the scores cannot be used", missing)


def predictions(ledger: Ledger, day: date, scoring: Scoring, state: Path | None) -> Scored:
    """Predictions of every open invoice, made now or taken from ``state`` when it holds those of the same question."""
    snapshot_id = ledger.as_of(day).snapshot_id
    kept = None
    if state is not None and scoring.model_dir is None:
        question = (__version__, snapshot_id, str(scoring.seed), str(scoring.gate))
        kept = state / f"predictions-{sha256_hex(*(part.encode() for part in question))[:32]}"
        if (found := _kept(kept)) is not None:
            return found
    scored = _predict(ledger, day, scoring)
    if kept is not None:
        _keep(kept, scored)
    return scored


def _predict(ledger: Ledger, day: date, scoring: Scoring) -> Scored:
    from duecourse.science.timing.predict import predict

    model, cause = usable_model(
        ledger, day, scoring.model_dir, seed=scoring.seed, threads=scoring.threads, gate=scoring.gate,
        quiet=scoring.quiet,
    )  # fmt: skip
    with step("scoring open invoices", quiet=scoring.quiet):
        prediction = predict(model, ledger.as_of(day), seed=scoring.seed)
    notes = (cause, *prediction.notes) if cause else tuple(prediction.notes)
    return Scored(prediction.scores, prediction.curves, notes)


def _kept(directory: Path) -> Scored | None:
    """What an earlier run kept; None when there is nothing, or nothing readable."""
    try:
        notes = tuple(json.loads((directory / "notes.json").read_text(encoding="utf-8")))
        return Scored(
            pl.read_parquet(directory / "scores.parquet"), pl.read_parquet(directory / "curves.parquet"), notes
        )
    except (OSError, ValueError, pl.exceptions.PolarsError):
        return None


def _keep(directory: Path, scored: Scored) -> None:
    """Keeps ``scored`` whole or not at all. Raises UsageError when the directory cannot be written."""
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".keep-", dir=directory.parent))
    except OSError as error:
        raise UsageError(f"--state {directory.parent} cannot be written: {error.strerror}") from None
    write_frames(work, {"scores": scored.scores, "curves": scored.curves}, "parquet")
    (work / "notes.json").write_text(json.dumps(scored.notes, ensure_ascii=False), encoding="utf-8")
    shutil.rmtree(directory, ignore_errors=True)
    work.rename(directory)


def _summary(made: Plan, out: Path, day: date) -> dict[str, object]:
    return {
        "out": str(out),
        "as_of": day,
        "policy": made.policy,
        "to_contact": made.worklist.height,
        "arms": _counts(made.worklist, "arm"),
        "minutes": float(made.worklist.get_column("minutes").sum()),
        "not_worked": _counts(made.not_worked, "reason"),
        "drafts": len(made.drafts),
        "execution": _counts(made.worklist, "execution"),
        "needs_human": int((made.worklist.get_column("needs_human") != "").sum()),
        "assumptions": list(made.assumptions),
    }


def _counts(frame: pl.DataFrame, column: str) -> dict[str, int]:
    return {str(name): int(number) for name, number in frame.group_by(column).len().sort(column).iter_rows()}


def _text(made: Plan, out: Path, day: date) -> str:
    lines = [
        f"{row['rank']:>4}  {row['name'][:28]:<28}  {row['arm']:<15} {row['why']}"
        for row in made.worklist.head(SHOWN).iter_rows(named=True)
    ]
    left = ", ".join(f"{number} {name}" for name, number in _counts(made.not_worked, "reason").items()) or "nobody"
    minutes = float(made.worklist.get_column("minutes").sum())
    shadow = int((made.worklist.get_column("execution") == "shadow").sum())
    if shadow:
        lines.append(f"{shadow} of these are in shadow: proposed and logged, nothing is to be done about them")
    lines.append(
        f"{made.worklist.height} to work on at {day} by {made.policy} ({minutes:g} minutes), "
        f"{made.not_worked.height} left alone ({left}); in {out}"
    )
    lines.append(made.assumptions[0])
    return "\n".join(lines)
