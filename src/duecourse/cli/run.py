"""``duecourse run``: the main job. An export in; a ranked, explained and honest collection plan out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import polars as pl

from duecourse import __version__
from duecourse.cli.common import (
    Source,
    as_of_option,
    force_option,
    format_option,
    json_option,
    note,
    out_option,
    print_summary,
    refuse_existing,
    resolve_as_of,
    result_directory,
    seed_option,
    step,
    threads_option,
    write_frames,
)
from duecourse.cli.forecast_track import RECORD_FILE, moved_since_last_week, replay
from duecourse.cli.inputs import read_inputs, reading_of, reading_options, write_notes
from duecourse.cli.plan import the_capacity, write_plan
from duecourse.cli.scenarios import Answers, answer, fit_to_book, read_scenarios, scenario_option, write_summary
from duecourse.core.errors import MissingLibrary, NotEnoughData
from duecourse.ledger.as_of import Ledger, View

if TYPE_CHECKING:
    from duecourse.ledger.audit import Audit
    from duecourse.reports.run_data import RunReport
    from duecourse.science.decisions import Plan
    from duecourse.science.forecast.frozen import ForecastRecord
    from duecourse.science.forecast.movement import Movement
    from duecourse.science.forecast.scenarios import Scenario
    from duecourse.science.forecast.track_record import TrackRecord
    from duecourse.science.timing.backtest_report import BacktestReport
    from duecourse.science.timing.model import TimingModel
    from duecourse.science.timing.predict import Prediction

FORECAST_DAYS, FORECAST_DRAWS = 91, 1000


@dataclass(frozen=True)
class Settings:
    """What the person chose for this run."""

    as_of: date
    policy: str
    capacity_file: Path | None
    seed: int
    threads: int
    quiet: bool
    scenarios: tuple[Scenario, ...] = ()


@dataclass(frozen=True)
class Learnt:
    """The model and its track record; without them ``why_not`` says why, and simpler rungs serve.

    ``past_models``: those of the tested months, by the day they were fitted at.
    """

    model: TimingModel | None
    report: BacktestReport | None
    why_not: str = ""
    past_models: Mapping[date, TimingModel] = field(default_factory=dict)


@dataclass(frozen=True)
class Cash:
    """The forecast as tables and as a frozen record, the record of such forecasts, and why it moved since last week."""

    daily: pl.DataFrame
    weekly: pl.DataFrame
    record: ForecastRecord
    track: TrackRecord
    movements: list[Movement]
    answers: Answers


@dataclass(frozen=True)
class Results:
    """Everything that the run made, before it is written."""

    audit: Audit
    learnt: Learnt
    prediction: Prediction
    plan: Plan
    cash: Cash
    measures: pl.DataFrame


@click.command("run")
@click.argument("export", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="EXPORT...")
@out_option
@as_of_option
@click.option(
    "--policy", type=click.Choice(["ladder", "value_at_stake", "learned"]), default="value_at_stake", show_default=True,
    help="ladder and value_at_stake follow fixed rules; learned weighs measured effects of contacts.",
)  # fmt: skip
@click.option("--capacity", "capacity_file", type=click.Path(path_type=Path), help="capacity.json: minutes and arms.")
@scenario_option
@seed_option
@threads_option
@reading_options
@click.option("--skip-bad-rows", is_flag=True, help="Go on without the rows that cannot be used; they are listed.")
@format_option
@force_option
@json_option
def run(
    *,
    export: tuple[Path, ...],
    out: Path,
    as_of: date | None,
    policy: str,
    capacity_file: Path | None,
    scenario_files: tuple[Path, ...],
    seed: int,
    threads: int,
    file_format: str,
    force: bool,
    as_json: bool,
    **given: Any,  # noqa: ANN401 - the options that settle a doubt about the file
) -> None:
    """The main job: import, audit, learn, score, plan, forecast, draft, and one report.html that says it all.

    EXPORT is an invoice list (with its payment list, if that is a second file) or a ledger directory. Without --as-of
    the plan is for the day after the last recorded fact.
    """
    from duecourse.science.decisions import policy_version

    policy_version(policy)
    asked = tuple(read_scenarios(scenario_files))
    refuse_existing(out, force=force)
    with step("importing", quiet=as_json):
        source = read_inputs(export, given, quiet=as_json)
    settings = Settings(resolve_as_of(as_of, source.ledger), policy, capacity_file, seed, threads, as_json, asked)
    results = compute(source, settings)
    with step("writing", quiet=as_json):
        from duecourse.reports.run_page import render

        page = render(report_of(export, source, settings, results))
        with result_directory(out, force=force) as work:
            write_results(work, source, results, file_format)
            (work / "report.html").write_text(page, encoding="utf-8")
    print_summary(_summary(out, settings, results), as_json=as_json, text=_text(out, settings, results))


def compute(source: Source, settings: Settings) -> Results:
    """Every result of the run from one view of the ledger."""
    from duecourse.ledger.audit import audit
    from duecourse.ledger.audit.measure_table import measure_table
    from duecourse.science.decisions import plan
    from duecourse.science.language import draft_worklist
    from duecourse.science.timing.predict import predict

    ledger, quiet = source.ledger, settings.quiet
    view = ledger.as_of(settings.as_of)
    if not view.table("invoices").height:
        raise NotEnoughData(f"no invoice was known before {settings.as_of}; choose a later --as-of")
    fit_to_book(settings.scenarios, view, FORECAST_DAYS)
    capacity = the_capacity(settings.capacity_file, quiet=quiet)
    with step("auditing the data", quiet=quiet):
        found = audit(ledger, settings.as_of, reading=reading_of(source))
        measures = measure_table(view)
    learnt = learn(ledger, settings)
    with step("scoring open invoices", quiet=quiet):
        prediction = predict(learnt.model, view, seed=settings.seed)
    with step("planning and drafting", quiet=quiet):
        made = plan(
            view, prediction, policy=settings.policy, capacity=capacity, seed=settings.seed, drafter=draft_worklist
        )
    with step("forecasting cash", quiet=quiet):
        coming = cash(ledger, view, learnt, prediction, settings)
    return Results(found, learnt, prediction, made, coming, measures)


def learn(ledger: Ledger, settings: Settings) -> Learnt:
    """The model judged on the book's own past; a young book or a missing library is a reason, not a failure."""
    from duecourse.cli.train import fitted_model
    from duecourse.science.timing.backtest import BacktestPlan, rolling_backtest
    from duecourse.science.timing.judged import judge

    try:
        model = fitted_model(
            ledger, settings.as_of, seed=settings.seed, threads=settings.threads, gate=False, quiet=settings.quiet
        )
    except (MissingLibrary, NotEnoughData) as error:
        note(f"note: {error}", quiet=settings.quiet)
        if isinstance(error, MissingLibrary):
            return Learnt(None, None, str(error))
        protocol = BacktestPlan(seed=settings.seed, threads=settings.threads)
        return Learnt(None, rolling_backtest(ledger, settings.as_of, plan=protocol), str(error))
    with step("testing the model on past months", quiet=settings.quiet):
        judged = judge(
            model, ledger, settings.as_of, threads=settings.threads,
            progress=lambda line: note(f"    {line}", quiet=settings.quiet),
        )  # fmt: skip
    return Learnt(judged.model, judged.report, past_models=judged.past_models)


def cash(ledger: Ledger, view: View, learnt: Learnt, prediction: Prediction, settings: Settings) -> Cash:
    """The cash of the next 13 weeks per currency, with the track record of such forecasts on this book."""
    from duecourse.science.forecast import cash_tables, forecast_book
    from duecourse.science.forecast.frozen import ForecastSummary, freeze
    from duecourse.science.forecast.movement import Forecast
    from duecourse.science.forecast.scenarios import BaseBook

    how: dict[str, Any] = {"seed": settings.seed, "draws": FORECAST_DRAWS}
    replayed = replay(
        ledger, settings.as_of, learnt.model, learnt.past_models,
        seed=settings.seed, threads=settings.threads, quiet=settings.quiet,
    )  # fmt: skip
    track = replayed.track
    bands = forecast_book(view, prediction.curves, days=FORECAST_DAYS, shares=track.shares, **how)
    record = freeze(
        ForecastSummary(
            view=view, curves=prediction.curves, bands=bands, shares=track.shares, shares_id=track.shares_id,
            model_id=learnt.model.model_id if learnt.model else "", **how,
        )
    )  # fmt: skip
    now = Forecast(view, learnt.model, prediction.curves, bands)
    moved = moved_since_last_week(ledger, now, replayed, **how)
    base = partial(BaseBook.of, view, prediction.curves, bands, seed=settings.seed, shares=track.shares)
    answers = answer(settings.scenarios, base, quiet=settings.quiet)
    return Cash(*cash_tables(bands, view.as_of), record, track, moved, answers)


def report_of(export: tuple[Path, ...], source: Source, settings: Settings, results: Results) -> RunReport:
    """The run page's data: names, changes of habit, concentration and segments added to the results."""
    from duecourse.reports.run_data import ImportNotes, RunIdentity, RunReport
    from duecourse.science.decisions import policy_version
    from duecourse.science.forecast.received import cash_received
    from duecourse.science.timing.card import model_card
    from duecourse.science.timing.deterioration import concentration, deterioration
    from duecourse.science.timing.facts import facts_from_view
    from duecourse.science.timing.segments import behaviour_segments

    view = source.ledger.as_of(settings.as_of)
    facts = facts_from_view(view)
    changes = deterioration(facts)
    learnt, made = results.learnt, results.plan
    notices = list(results.prediction.notes)
    return RunReport(
        identity=RunIdentity(
            title=f"Plan for {', '.join(file.name for file in export)}", sources=tuple(file.name for file in export),
            as_of=settings.as_of, snapshot_id=view.snapshot_id,
            model_id=learnt.model.model_id if learnt.model else "", rung=main_rung(results.prediction.scores),
            policy=made.policy, policy_version=policy_version(made.policy), seed=settings.seed,
            program_version=__version__,
        ),
        scores=results.prediction.scores, worklist=made.worklist, decisions=made.decisions,
        not_worked=made.not_worked, resolution=made.resolution, assumptions=made.assumptions, drafts=made.drafts,
        names=_names(view), cash_daily=results.cash.daily, cash_weekly=results.cash.weekly, deterioration=changes,
        track=results.cash.track, movements=results.cash.movements, received=cash_received(view),
        scenarios=results.cash.answers.summaries,
        scenario_weekly=results.cash.answers.frames.get("scenario_weekly", pl.DataFrame()),
        concentration=concentration(facts, changes), segments=behaviour_segments(facts).frame(facts),
        measures=results.measures,
        imported=ImportNotes.of(source.imported) if source.imported else ImportNotes(problems=source.problems),
        backtest=learnt.report.to_dict() if learnt.report else None,
        backtest_missing=learnt.why_not or "no past month could be tested yet",
        audit=results.audit.to_dict(), model_card=model_card(learnt.model) if learnt.model else "", notices=notices,
    )  # fmt: skip


def main_rung(scores: pl.DataFrame) -> str:
    """The rung that served most invoices; ``terms`` where nothing is open."""
    if not scores.height:
        return "terms"
    counts = scores.group_by("rung").len().sort(["len", "rung"], descending=[True, False])
    return str(counts.get_column("rung")[0])


def _names(view: View) -> dict[str, str]:
    named = view.table("customers").filter(pl.col("name").is_not_null()).select("customer_id", "name")
    return dict(named.iter_rows())


def write_results(work: Path, source: Source, results: Results, file_format: str) -> None:
    """Ledger, audit, model, predictions, plan, cash and backtest as files in ``work``."""
    from duecourse.ledger.write import write_ledger
    from duecourse.reports import audit_page, backtest_page
    from duecourse.science.timing.store import save_model

    write_ledger(source.ledger, work / "ledger", format="csv" if file_format == "csv" else "parquet")
    if source.imported is not None:
        write_notes(source.imported, work)
    audit = results.audit.to_dict()
    _write_json(work / "audit.json", audit)
    (work / "audit.html").write_text(audit_page.render(audit), encoding="utf-8")
    if results.learnt.model is not None:
        (work / "model").mkdir()
        save_model(results.learnt.model, work / "model")
    if results.learnt.report is not None:
        backtest = results.learnt.report.to_dict()
        _write_json(work / "backtest.json", backtest)
        (work / "backtest.html").write_text(
            backtest_page.render(backtest, title="Backtest", program_version=__version__), encoding="utf-8"
        )
    frames = {
        "scores": results.prediction.scores, "curves": results.prediction.curves,
        "cash_daily": results.cash.daily, "cash_weekly": results.cash.weekly,
        "forecast_scores": results.cash.track.scores, "metrics": results.measures,
        **results.cash.answers.frames,
    }  # fmt: skip
    (work / RECORD_FILE).write_text(results.cash.record.to_json(), encoding="utf-8")
    write_frames(work, frames, file_format)
    write_summary(work, results.cash.answers)
    write_plan(work, results.plan, file_format)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _summary(out: Path, settings: Settings, results: Results) -> dict[str, Any]:
    gate = results.learnt.model.gate if results.learnt.model else None
    return {
        "out": out,
        "report": out / "report.html",
        "as_of": settings.as_of,
        "policy": results.plan.policy,
        "seed": settings.seed,
        "open_invoices": results.prediction.scores.height,
        "rung": main_rung(results.prediction.scores),
        "gate": gate["says"] if gate else results.learnt.why_not,
        "worklist": results.plan.worklist.height,
        "not_worked": results.plan.not_worked.height,
        "scenarios": results.cash.answers.summaries,
        "faults": {fault.code: fault.rows for fault in results.audit.faults},
    }


def _text(out: Path, settings: Settings, results: Results) -> str:
    from duecourse.reports.wording import predicted_by, sentence

    summary = _summary(out, settings, results)
    lines = [
        f"As of {settings.as_of}: {summary['open_invoices']:,} open invoices, {summary['worklist']:,} customers to "
        f"contact, {summary['not_worked']:,} left alone with a reason.",
        f"{sentence(predicted_by(summary['rung'], summary['open_invoices']))} {sentence(summary['gate'])}".rstrip(),
    ]
    lines += [
        f"  {row['rank']:>3}  {row['name'] or row['customer_id']}: {row['why']}"
        for row in results.plan.worklist.head(5).iter_rows(named=True)
    ]
    return "\n".join([*lines, f"Report: {(out / 'report.html').resolve()}"])
