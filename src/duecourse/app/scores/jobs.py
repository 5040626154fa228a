"""The jobs of predictions: one entity at a time, and all of them every night."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from duecourse.app.access import SYSTEM
from duecourse.app.books.queries import entities_with_books, entity_by_id
from duecourse.app.books.snapshot import ledger_of, write_snapshot
from duecourse.app.jobs.kinds import Kind, Result, Work
from duecourse.app.scores.actions import PREDICT, ask_to_predict, keep_predictions
from duecourse.app.scores.learning import keep_model, learn, morning_of, predictions
from duecourse.app.scores.queries import kept_model

THREADS = 2


def predict_entity(work: Work) -> Result:
    """Snapshot, learn when due, predict, keep. Running it twice predicts twice and keeps the later."""
    entity = entity_by_id(work.arguments["entity"])
    folder = Path(settings.DATA_DIR)
    work.report("taking a snapshot of the books")
    ledger = ledger_of(entity)
    day = morning_of(ledger)
    snapshot = write_snapshot(ledger, folder / "snapshots" / str(entity.pk))
    learnt = learn(
        ledger, day, kept_model(entity, folder / "models"), threads=THREADS, progress=work.report
    )  # fmt: skip
    work.report("predicting open invoices")
    made = predictions(learnt, ledger, day)
    if learnt.model is not None:
        keep_model(learnt.model, folder / "models")
    # The system keeps what it computed; the right of whoever asked was checked when it was asked for.
    run = keep_predictions(
        actor=SYSTEM, now=work.now, entity=entity, as_of=day, snapshot_hash=snapshot.name, learnt=learnt, made=made
    )  # fmt: skip
    return {"invoices": made.scores.height, "as of": day.isoformat(), "by": ", ".join(sorted(run.rungs))}


def every_night(work: Work) -> Result:
    """Ask for the predictions of every entity that has books."""
    entities = entities_with_books()
    for entity in entities:
        ask_to_predict(actor=SYSTEM, now=work.now, entity=entity)
    return {"entities": len(entities)}


JOBS: Mapping[str, Kind] = {
    PREDICT: Kind("predict when open invoices are paid", predict_entity),
    "scores.nightly": Kind("predict every entity", every_night, daily_at=2),
}
