"""Learning and predicting with the lower half, as ``duecourse run`` does: fit when due, let the gate judge, score."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from duecourse.core.errors import MissingLibrary, NotEnoughData

if TYPE_CHECKING:
    from duecourse.ledger.as_of import Ledger
    from duecourse.science.timing.model import TimingModel
    from duecourse.science.timing.predict import Prediction

# Habits change over months: a model of last week knows them; each fit with its judgement takes minutes.
FIT_EVERY = timedelta(days=7)
SEED = 0


@dataclass(frozen=True)
class Learnt:
    """The model that serves, if any, and what people are told about it."""

    model: TimingModel | None
    fitted_on: date | None
    says: str


def morning_of(ledger: Ledger) -> date:
    """The morning that predictions are for: the day after the last recorded fact, so that all of them count.

    Raises NotEnoughData for empty books.
    """
    last = ledger.last_known()
    if last is None:
        raise NotEnoughData("the books hold no invoices yet; import an export first")
    return last + timedelta(days=1)


def learn(
    ledger: Ledger, day: date, kept: tuple[Path, date] | None, *, threads: int, progress: Callable[[str], None]
) -> Learnt:
    """The model of ``kept`` (directory, day of its fit) while it is fresh, else a new one that the gate has judged.

    Young books or a missing library are a reason, not a failure: simpler rungs serve.
    """
    from duecourse.science.timing.judged import judge
    from duecourse.science.timing.model import fit
    from duecourse.science.timing.store import load_model

    if kept is not None and kept[0].is_dir() and timedelta(0) <= day - kept[1] < FIT_EVERY:
        model = load_model(kept[0])
        return Learnt(model, kept[1], _says(model))
    try:
        progress("learning when invoices are paid")
        model = fit(ledger.as_of(day), seed=SEED, threads=threads)
    except (MissingLibrary, NotEnoughData) as error:
        return Learnt(None, None, str(error))
    judged = judge(model, ledger, day, threads=threads, progress=lambda line: progress(f"testing on the past: {line}"))
    return Learnt(judged.model, day, _says(judged.model))


def keep_model(model: TimingModel, folder: Path) -> None:
    """Save ``model`` in ``folder`` under its id, whole or not at all; nothing is written again when it is there."""
    from duecourse.science.timing.store import save_model

    target = folder / model.model_id
    if target.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    written = Path(tempfile.mkdtemp(prefix=f".{model.model_id}-", dir=folder))
    try:
        save_model(model, written)
        written.rename(target)
    except BaseException:
        shutil.rmtree(written, ignore_errors=True)
        raise


def _says(model: TimingModel) -> str:
    return str(model.gate["says"]) if model.gate is not None else "not judged against the simple methods"


def predictions(learnt: Learnt, ledger: Ledger, day: date) -> Prediction:
    """Curves and scores of every invoice that is open on the morning of ``day``."""
    from duecourse.science.timing.predict import predict

    return predict(learnt.model, ledger.as_of(day), seed=SEED)
