"""The screens about jobs: what runs, what failed and why, and trying again."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from duecourse.app.access import Permission
from duecourse.app.http import Request
from duecourse.app.jobs import actions, queries
from duecourse.app.jobs.models import OPEN, State
from duecourse.app.jobs.tables import JobTable
from duecourse.app.ui.forms import act
from duecourse.app.ui.needs import needs
from duecourse.app.ui.paging import lay_out


@needs(Permission.SEE_JOBS)
@require_safe
def jobs(request: Request) -> HttpResponse:
    """Every job of the person's entities; those of the organisation for whoever may see all."""
    found = queries.visible_jobs(request.actor)
    wanted = request.GET.get("state", "")
    if wanted in State.values:
        found = found.filter(state=wanted)
    table = JobTable(found)
    lay_out(request, table)
    return render(request, "jobs/jobs.html", {"table": table, "states": State, "wanted": wanted})


@needs(Permission.SEE_JOBS)
@require_safe
def job(request: Request, pk: int) -> HttpResponse:
    """One job: how far it is while it runs, what came of it afterwards."""
    one = queries.job_for(request.actor, pk)
    context = {
        "job": one, "label": queries.label_of(one.kind), "open": one.state in OPEN,
        "may_manage": request.actor.may(Permission.MANAGE_JOBS, one.entity_id),
    }  # fmt: skip
    return render(request, "jobs/job.html", context)


@needs(Permission.MANAGE_JOBS)
@require_POST
def cancel(request: Request, pk: int) -> HttpResponse:
    """Take a waiting job out of the queue."""
    one = queries.job_for(request.actor, pk)
    return act(
        request, lambda: actions.cancel_job(actor=request.actor, now=request.now, job=one),
        "The job is cancelled.", reverse("jobs:job", args=[pk]),
    )  # fmt: skip


@needs(Permission.MANAGE_JOBS)
@require_POST
def retry(request: Request, pk: int) -> HttpResponse:
    """Try a failed job again."""
    one = queries.job_for(request.actor, pk)
    return act(
        request, lambda: actions.retry_job(actor=request.actor, now=request.now, job=one),
        "The job is tried again.", reverse("jobs:job", args=[pk]),
    )  # fmt: skip
