"""``duecourse score``: when each open invoice will be paid, as a curve, with the rung that every score stands on."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

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
from duecourse.cli.train import fitted_model, gate_option
from duecourse.core.errors import MissingLibrary, NotEnoughData

if TYPE_CHECKING:
    from duecourse.ledger.as_of import Ledger
    from duecourse.science.timing.model import TimingModel


@click.command("score")
@ledger_argument
@as_of_option
@click.option(
    "--model", "model_dir", type=click.Path(path_type=Path), help="A model of `train`; without it one is fitted first."
)
@out_option
@seed_option
@threads_option
@gate_option
@format_option
@force_option
@json_option
def score(
    *,
    ledger: Path,
    as_of: date | None,
    model_dir: Path | None,
    out: Path,
    seed: int,
    threads: int,
    gate: bool,
    file_format: str,
    force: bool,
    as_json: bool,
) -> None:
    """Predict when every open invoice of LEDGER is paid; writes scores and curves."""
    from duecourse.science.timing.predict import predict

    refuse_existing(out, force=force)
    source = read_source(ledger, quiet=as_json)
    day = resolve_as_of(as_of, source.ledger)
    model, cause = usable_model(source.ledger, day, model_dir, seed=seed, threads=threads, gate=gate, quiet=as_json)
    with step("scoring open invoices", quiet=as_json):
        prediction = predict(model, source.ledger.as_of(day), seed=seed)
    notes = [cause, *prediction.notes] if cause else list(prediction.notes)
    for line in notes:
        note(f"note: {line}")
    with result_directory(out, force=force) as work:
        write_frames(work, {"scores": prediction.scores, "curves": prediction.curves}, file_format)
    rungs = {str(rung): int(n) for rung, n in prediction.scores.group_by("rung").len().sort("rung").iter_rows()}
    summary = {"out": str(out), "as_of": day, "open_invoices": prediction.scores.height, "rungs": rungs, "notes": notes}
    shown = ", ".join(f"{n} on rung {rung}" for rung, n in rungs.items()) or "none"
    text = f"{prediction.scores.height} open invoices at {day} scored ({shown}) in {out}"
    print_summary(summary, as_json=as_json, text=text)


def usable_model(
    ledger: Ledger, day: date, model_dir: Path | None, *, seed: int, threads: int, gate: bool, quiet: bool
) -> tuple[TimingModel | None, str]:
    """The stored or freshly fitted model; without one, None and the sentence that says why.

    A missing system library or a young book does not stop scoring: each customer's own past serves. Raises BadInput for
    a stored model that must not be used.
    """
    try:
        if model_dir is None:
            return fitted_model(ledger, day, seed=seed, threads=threads, gate=gate, quiet=quiet), ""
        from duecourse.science.timing.store import load_model

        return load_model(model_dir), ""
    except (MissingLibrary, NotEnoughData) as error:
        return None, str(error)
