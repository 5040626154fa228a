"""``duecourse forecast``: cash that will arrive, by day and by week, with a band."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click
import polars as pl

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
from duecourse.cli.forecast_inputs import ForecastInputs, input_options
from duecourse.cli.forecast_track import RECORD_FILE, Archive, open_archive, records_option
from duecourse.cli.scenarios import (
    answer,
    fit_to_book,
    read_scenarios,
    scenario_option,
    scenario_text,
    write_summary,
)
from duecourse.cli.score import usable_model
from duecourse.cli.train import gate_option
from duecourse.core.errors import NotEnoughData
from duecourse.core.money import Money
from duecourse.ledger.as_of import View

if TYPE_CHECKING:
    from duecourse.science.forecast import CashBands, Shares
    from duecourse.science.forecast.frozen import ForecastRecord
    from duecourse.science.forecast.scenarios import BaseBook
    from duecourse.science.timing.predict import Prediction


@click.command("forecast")
@ledger_argument
@as_of_option
@click.option("--days", type=click.IntRange(7, 178), default=91, show_default=True, help="Days ahead.")
@click.option("--draws", type=click.IntRange(200, 20_000), default=2_000, show_default=True, help="Simulated futures.")
@scenario_option
@click.option("--model", "model_dir", type=click.Path(path_type=Path), help="A model of `train`.")
@input_options
@records_option
@out_option
@seed_option
@threads_option
@gate_option
@format_option
@force_option
@json_option
def forecast(
    *,
    ledger: Path,
    as_of: date | None,
    days: int,
    draws: int,
    scenario_files: tuple[Path, ...],
    model_dir: Path | None,
    expected: Path | None,
    rates: Path | None,
    base_currency: str | None,
    country: str | None,
    records_dir: Path | None,
    out: Path,
    seed: int,
    threads: int,
    gate: bool,
    file_format: str,
    force: bool,
    as_json: bool,
) -> None:
    """Forecast the cash that LEDGER will bring, currency by currency.

    Writes cash_daily, cash_weekly, cash_groups (by customer, legal entity and behaviour segment) and, with --rates,
    cash_converted; forecast_record.json is the forecast frozen for later scoring, forecast_scores (with --records)
    what came of earlier ones.
    """
    from duecourse.science.timing.predict import predict

    asked = read_scenarios(scenario_files)
    inputs = ForecastInputs(expected, rates, base_currency, country).checked()
    refuse_existing(out, force=force)
    rate_rows = inputs.rate_rows()
    source = read_source(ledger, quiet=as_json)
    day = resolve_as_of(as_of, source.ledger)
    view, notes = _known(inputs, source.ledger.as_of(day))
    fit_to_book(asked, view, days)
    archive = open_archive(records_dir, source.ledger.as_of(day))
    to_base = None if rate_rows is None else inputs.rates_on(rate_rows, _currencies(view), day)
    model, cause = usable_model(source.ledger, day, model_dir, seed=seed, threads=threads, gate=gate, quiet=as_json)
    with step("scoring open invoices", quiet=as_json):
        prediction = predict(model, view, seed=seed)
    notes = [*([cause] if cause else []), *prediction.notes, *notes]
    with step("forecasting cash", quiet=as_json):
        made = _forecast(view, prediction.curves, inputs, _Size(days, draws, seed, threads), archive)
        record = _record(view, prediction, made, inputs, archive)
        frames = made.frames
        if to_base is not None:
            frames["cash_converted"] = _converted(made.bands, to_base, inputs, view)
            notes.append(_fx_note(inputs.base_currency or "", day))
    answers = answer(asked, lambda: _base_book(view, prediction.curves, made, inputs, seed), quiet=as_json)
    frames |= answers.frames
    notes += [*made.notes, *archive.notes()]
    if archive.scores.height:
        frames["forecast_scores"] = archive.scores
    for line in notes:
        note(f"note: {line}", quiet=as_json)
    with result_directory(out, force=force) as work:
        write_frames(work, frames, file_format)
        write_summary(work, answers)
        (work / RECORD_FILE).write_text(record.to_json(), encoding="utf-8")
    archive.keep(record)
    weekly = frames["cash_weekly"]
    summary = {
        "out": str(out), "as_of": day, "days": days, "draws": draws, "notes": notes, "weeks": weekly.to_dicts(),
        "expected_schedule": made.schedule.to_dicts(), "not_expected_within_half_a_year_minor": made.not_expected_minor,
        "scenarios": answers.summaries,
    }  # fmt: skip
    print_summary(summary, as_json=as_json, text="\n".join([_text(made, out), *scenario_text(answers)]))


def _known(inputs: ForecastInputs, view: View) -> tuple[View, list[str]]:
    """The books with what is expected besides, and sentences on it. Raises NotEnoughData where there is nothing."""
    known, notes = inputs.with_expected(view)
    if known.table("invoices").is_empty():
        raise NotEnoughData(
            f"no invoice was issued before {view.as_of}; choose a later --as-of, or name coming ones (--expected)"
        )
    return known, notes


def _currencies(view: View) -> list[str]:
    return view.table("invoices").get_column("currency").unique().sort().to_list()


@dataclass(frozen=True)
class _Size:
    days: int
    draws: int
    seed: int
    threads: int


@dataclass(frozen=True)
class _Made:
    """A forecast as it is written and told: tables by file name, notes, and the expected sentence's amounts."""

    size: _Size
    shares: Shares | None
    bands: Mapping[str, CashBands]
    frames: dict[str, pl.DataFrame]
    notes: list[str]
    schedule: pl.DataFrame
    not_expected_minor: dict[str, int]


def _forecast(view: View, curves: pl.DataFrame, inputs: ForecastInputs, size: _Size, archive: Archive) -> _Made:
    from duecourse.science.forecast import Extras, cash_tables, expected_schedule, forecast_book, group_table
    from duecourse.science.forecast.book import past_invoices
    from duecourse.science.forecast.inflow import history_notes
    from duecourse.science.timing.facts import facts_from_view
    from duecourse.science.timing.segments import behaviour_segments

    facts = facts_from_view(view)
    segments = behaviour_segments(facts).frame(facts).select("customer_id", "segment")
    extras = Extras(holidays=inputs.holidays(view.as_of), segments=dict(segments.iter_rows()))
    bands = forecast_book(
        view, curves, days=size.days, draws=size.draws, seed=size.seed, shares=archive.shares, extras=extras,
        threads=size.threads,
    )  # fmt: skip
    daily, weekly = cash_tables(bands, view.as_of)
    groups = group_table({currency: band.groups for currency, band in bands.items()}, view.as_of)
    past = past_invoices(view)
    return _Made(
        size,
        archive.shares,
        bands,
        {"cash_daily": daily, "cash_weekly": weekly, "cash_groups": groups},
        [line for currency, book in past.items() for line in history_notes(book.history, currency)],
        expected_schedule(view, curves),
        {currency: band.not_expected_minor for currency, band in bands.items()},
    )


def _record(
    view: View, prediction: Prediction, made: _Made, inputs: ForecastInputs, archive: Archive
) -> ForecastRecord:
    """The forecast just made, frozen."""
    from duecourse.science.forecast import Extras, Shares
    from duecourse.science.forecast.frozen import ForecastSummary, freeze

    ids = prediction.scores.get_column("model_id").drop_nulls()
    return freeze(
        ForecastSummary(
            view=view, curves=prediction.curves, bands=made.bands, model_id=str(ids[0]) if len(ids) else "",
            seed=made.size.seed, draws=made.size.draws, shares=made.shares or Shares(),
            shares_id=archive.shares_id, extras=Extras(holidays=inputs.holidays(view.as_of)),
        )
    )  # fmt: skip


def _base_book(view: View, curves: pl.DataFrame, made: _Made, inputs: ForecastInputs, seed: int) -> BaseBook:
    """What scenarios are compared with: the forecast just made."""
    from duecourse.science.forecast import Extras
    from duecourse.science.forecast.scenarios import BaseBook

    extras = Extras(holidays=inputs.holidays(view.as_of))
    return BaseBook.of(view, curves, made.bands, seed=seed, extras=extras, shares=made.shares)


def _converted(
    bands: Mapping[str, CashBands], to_base: Mapping[str, Decimal], inputs: ForecastInputs, view: View
) -> pl.DataFrame:
    from duecourse.science.forecast.converted import converted_table

    return converted_table(bands, to_base, inputs.base_currency or "", view.as_of)


def _fx_note(base: str, day: date) -> str:
    from duecourse.science.forecast.converted import NO_FX_UNCERTAINTY

    return f"{NO_FX_UNCERTAINTY} (to {base}, rates known on {day})"


def _text(made: _Made, out: Path) -> str:
    from duecourse.science.forecast.schedule import schedule_sentence

    lines = ["week from     expected (P10 to P90)"]
    for name in ("cash_weekly", "cash_converted"):
        if name == "cash_converted" and name in made.frames:
            lines.append("all currencies, converted")
        for row in made.frames.get(name, pl.DataFrame()).iter_rows(named=True):
            mean, low, high = (
                Money(row[each], row["currency"]).format() for each in ("mean_minor", "p10_minor", "p90_minor")
            )
            lines.append(f"{row['week_start']}    {mean} ({low} to {high})")
    currencies = made.schedule.get_column("currency").unique().sort()
    lines += [f"{schedule_sentence(made.schedule, currency)}." for currency in currencies]
    lines += [
        f"Not expected within half a year: {Money(minor, currency).format()}."
        for currency, minor in sorted(made.not_expected_minor.items())
        if minor
    ]
    return "\n".join([*lines, f"{', '.join(made.frames)} in {out}"])
