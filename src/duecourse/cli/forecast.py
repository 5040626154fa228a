"""``duecourse forecast``: cash that will arrive, by day and by week, with a band."""

from __future__ import annotations

from datetime import date
from pathlib import Path

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
from duecourse.cli.score import usable_model
from duecourse.cli.train import gate_option
from duecourse.core.errors import NotEnoughData, UsageError
from duecourse.core.money import Money

NEW_BOOK_WEEKS = 8


@click.command("forecast")
@ledger_argument
@as_of_option
@click.option("--days", type=click.IntRange(7, 178), default=91, show_default=True, help="Days ahead.")
@click.option("--draws", type=click.IntRange(200, 20_000), default=2_000, show_default=True, help="Simulated futures.")
@click.option("--scenario", type=click.Path(path_type=Path), help="A scenario file; comes in a later version.")
@click.option("--model", "model_dir", type=click.Path(path_type=Path), help="A model of `train`.")
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
    scenario: Path | None,
    model_dir: Path | None,
    out: Path,
    seed: int,
    threads: int,
    gate: bool,
    file_format: str,
    force: bool,
    as_json: bool,
) -> None:
    """Forecast the cash that LEDGER will bring; writes cash_daily and cash_weekly, one block per currency."""
    from duecourse.science.forecast import cash_tables, forecast_book, past_invoices
    from duecourse.science.timing.predict import predict

    if scenario is not None:
        raise UsageError("--scenario comes in a later version; without it the forecast is of the book as it stands")
    refuse_existing(out, force=force)
    source = read_source(ledger, quiet=as_json)
    day = resolve_as_of(as_of, source.ledger)
    view = source.ledger.as_of(day)
    past = past_invoices(view)
    if not past:
        raise NotEnoughData(f"no invoice was issued before {day}; choose a later --as-of")
    model, cause = usable_model(source.ledger, day, model_dir, seed=seed, threads=threads, gate=gate, quiet=as_json)
    with step("scoring open invoices", quiet=as_json):
        prediction = predict(model, view, seed=seed)
    notes = [cause, *prediction.notes] if cause else list(prediction.notes)
    notes += [
        f"{currency}: only {book.history.weeks} weeks of invoices; those not issued yet are a rough guess"
        for currency, book in past.items()
        if book.history.weeks < NEW_BOOK_WEEKS
    ]
    for line in notes:
        note(f"note: {line}", quiet=as_json)
    with step("forecasting cash", quiet=as_json):
        bands = forecast_book(view, prediction.curves, days=days, draws=draws, seed=seed)
        daily, weekly = cash_tables(bands, day)
    with result_directory(out, force=force) as work:
        write_frames(work, {"cash_daily": daily, "cash_weekly": weekly}, file_format)
    summary = {"out": str(out), "as_of": day, "days": days, "draws": draws, "notes": notes, "weeks": weekly.to_dicts()}
    print_summary(summary, as_json=as_json, text=_text(weekly, out))


def _text(weekly: pl.DataFrame, out: Path) -> str:
    lines = ["week from     expected (P10 to P90)"]
    for row in weekly.iter_rows(named=True):
        mean, low, high = (
            Money(row[name], row["currency"]).format() for name in ("mean_minor", "p10_minor", "p90_minor")
        )
        lines.append(f"{row['week_start']}    {mean} ({low} to {high})")
    return "\n".join([*lines, f"cash_daily and cash_weekly in {out}"])
