"""``duecourse train``: fits the payment-timing model on what was known at one morning, judges it, and keeps it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from duecourse.cli.common import (
    as_of_option,
    force_option,
    json_option,
    ledger_argument,
    note,
    print_summary,
    read_source,
    refuse_existing,
    resolve_as_of,
    result_directory,
    seed_option,
    step,
    threads_option,
)

if TYPE_CHECKING:
    from duecourse.ledger.as_of import Ledger
    from duecourse.science.timing.model import TimingModel

gate_option = click.option(
    "--gate/--no-gate",
    default=True,
    show_default=True,
    help="Test the model on past months first and show it only where it was better than the simple methods.",
)


@click.command("train")
@ledger_argument
@as_of_option
@click.option("--model", "model_dir", required=True, type=click.Path(path_type=Path), help="Directory for the model.")
@seed_option
@threads_option
@gate_option
@force_option
@json_option
def train(
    *,
    ledger: Path,
    as_of: date | None,
    model_dir: Path,
    seed: int,
    threads: int,
    gate: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Learn from LEDGER, as it was known at --as-of, when its invoices are paid; writes the model and its card."""
    from duecourse.science.timing.store import save_model

    refuse_existing(model_dir, force=force)
    source = read_source(ledger, quiet=as_json)
    day = resolve_as_of(as_of, source.ledger)
    model = fitted_model(source.ledger, day, seed=seed, threads=threads, gate=gate, quiet=as_json)
    with result_directory(model_dir, force=force) as work:
        save_model(model, work)
    says = model.gate["says"] if model.gate is not None else "not judged against the simple methods"
    summary = {
        "model": str(model_dir),
        "model_id": model.model_id,
        "as_of": day,
        "seed": seed,
        "fitted": dict(model.fitted),
        "gate": model.gate,
    }
    text = f"model {model.model_id} of {day} in {model_dir} ({model.fitted['paid_invoices']} paid invoices): {says}"
    print_summary(summary, as_json=as_json, text=text)


def fitted_model(ledger: Ledger, day: date, *, seed: int, threads: int, gate: bool, quiet: bool) -> TimingModel:
    """The model as of ``day``, judged by its own past unless ``gate`` is off.

    Raises NotEnoughData and MissingLibrary as ``model.fit`` does.
    """
    from duecourse.science.timing.judged import judge
    from duecourse.science.timing.model import fit

    with step("learning when invoices are paid", quiet=quiet):
        model = fit(ledger.as_of(day), seed=seed, threads=threads)
    if not gate:
        return model
    with step("testing the model on past months", quiet=quiet):
        return judge(model, ledger, day, threads=threads, progress=lambda line: note(f"    {line}", quiet=quiet)).model
