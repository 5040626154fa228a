"""What is done with predictions: ask for new ones, and keep those that a job made."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import transaction

from duecourse.app.access import Actor, Permission
from duecourse.app.audit.actions import record
from duecourse.app.books.models import Entity
from duecourse.app.jobs.actions import ask_for_job
from duecourse.app.jobs.models import Job
from duecourse.app.scores.models import Run, Score

if TYPE_CHECKING:
    from duecourse.app.scores.learning import Learnt
    from duecourse.science.timing.predict import Prediction

PREDICT = "scores.predict"
CHUNK = 5_000


def ask_to_predict(*, actor: Actor, now: datetime, entity: Entity) -> Job:
    """Have the open invoices of ``entity`` predicted anew by a job; the one that is open already serves."""
    actor.require(Permission.RUN_PREDICTIONS, entity.pk)
    with transaction.atomic():
        job = ask_for_job(
            actor=actor, now=now, kind=PREDICT, key=f"{PREDICT} {entity.pk}", arguments={"entity": entity.pk},
            entity_id=entity.pk,
        )  # fmt: skip
        record(actor=actor, now=now, code="scores.asked", subject=("entity", entity.pk), entity_id=entity.pk)
    return job


def keep_predictions(
    *, actor: Actor, now: datetime, entity: Entity, as_of: date, snapshot_hash: str, learnt: Learnt, made: Prediction
) -> Run:
    """Keep a run with a score for each open invoice. The scores of earlier runs go; who made them, and when, stays."""
    actor.require(Permission.RUN_PREDICTIONS, entity.pk)
    scores = made.scores
    with transaction.atomic():
        run = Run.objects.create(
            entity=entity, made_at=now, as_of=as_of, snapshot_hash=snapshot_hash,
            model_id=learnt.model.model_id if learnt.model else "", model_fitted_on=learnt.fitted_on,
            gate_says=learnt.says, notes=list(made.notes), rungs=dict(Counter(scores.get_column("rung").to_list())),
        )  # fmt: skip
        Score.objects.filter(run__entity=entity).delete()
        for part in scores.drop("as_of", "model_id").iter_slices(CHUNK):
            Score.objects.bulk_create(
                Score(run=run, **{**row, "reasons": json.loads(row["reasons"] or "[]")})
                for row in part.iter_rows(named=True)
            )
        record(
            actor=actor, now=now, code="scores.predicted", subject=("entity", entity.pk), entity_id=entity.pk,
            invoices=scores.height, as_of=as_of.isoformat(),
        )  # fmt: skip
    return run
