"""Reading predictions: the newest run of an entity, its scores, and the model that may still serve."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from django.db.models import Q, QuerySet

from duecourse.app.books.models import Entity
from duecourse.app.books.queries import customer_ids_named, with_customer_names
from duecourse.app.scores.models import Run, Score


def newest_run(entity: Entity) -> Run | None:
    """The newest predictions of ``entity``; None before the first."""
    return Run.objects.filter(entity=entity).first()


def scores_of(run: Run) -> QuerySet[Score]:
    """The scores of a run with ``customer_name``, the largest open amount first."""
    return with_customer_names(Score.objects.filter(run=run), run.entity).order_by("-open_minor", "invoice_id")


def search_scores(found: QuerySet[Score], entity: Entity, text: str) -> QuerySet[Score]:
    """Those whose invoice, or whose customer's number or name, holds ``text``."""
    named = customer_ids_named(entity, text)
    return found.filter(Q(invoice_id__icontains=text) | Q(customer_id__icontains=text) | Q(customer_id__in=named))


def kept_model(entity: Entity, folder: Path) -> tuple[Path, date] | None:
    """Where the newest model of ``entity`` is kept, and the day of its fit; None when none was fitted."""
    run = Run.objects.filter(entity=entity).exclude(model_fitted_on=None).first()
    return (folder / run.model_id, run.model_fitted_on) if run is not None and run.model_fitted_on else None
