"""The screens of predictions."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from duecourse.app.access import Permission
from duecourse.app.books.queries import changed_since, entity_for
from duecourse.app.http import Request
from duecourse.app.scores import actions, queries
from duecourse.app.scores.tables import ScoreTable
from duecourse.app.ui.needs import needs
from duecourse.app.ui.paging import lay_out

LONGEST_SEARCH = 120


@needs(Permission.SEE_BOOKS)
@require_safe
def predictions(request: Request, code: str) -> HttpResponse:
    """When each open invoice is expected, how sure that is, why, how old it is, and what the gate says of the model."""
    entity = entity_for(request.actor, code)
    run = queries.newest_run(entity)
    # PostgreSQL refuses a text with a NUL in it.
    wanted = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    table = None
    if run is not None:
        found = queries.scores_of(run)
        found = queries.search_scores(found, entity, wanted) if wanted else found
        table = ScoreTable(found, today=request.now.date())
        lay_out(request, table)
    context = {
        "entity": entity, "run": run, "table": table, "wanted": wanted,
        "may_run": request.actor.may(Permission.RUN_PREDICTIONS, entity.pk),
        "outdated": run is not None and changed_since(entity, run.made_at),
        "days_old": (request.now.date() - run.as_of).days if run else 0,
    }  # fmt: skip
    return render(request, "scores/predictions.html", context)


@needs(Permission.RUN_PREDICTIONS)
@require_POST
def again(request: Request, code: str) -> HttpResponse:
    """Predict anew."""
    entity = entity_for(request.actor, code, Permission.RUN_PREDICTIONS)
    job = actions.ask_to_predict(actor=request.actor, now=request.now, entity=entity)
    return redirect("jobs:job", job.pk)
