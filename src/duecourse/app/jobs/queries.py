"""Reading jobs: those that a person may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db.models import Q, QuerySet
from django.http import Http404

from duecourse.app.access import Actor, Permission
from duecourse.app.jobs.kinds import all_kinds
from duecourse.app.jobs.models import Job


def visible_jobs(actor: Actor) -> QuerySet[Job]:
    """Jobs of the entities whose jobs ``actor`` may see, newest first; those of the organisation need all."""
    entities = actor.entities(Permission.SEE_JOBS)
    scope = Q() if entities is None else Q(entity_id__in=entities)
    return Job.objects.filter(scope).select_related("entity", "asked_by")


def job_for(actor: Actor, pk: int) -> Job:
    """That job. Raises Http404 when there is none or when it is foreign to ``actor``."""
    job = visible_jobs(actor).filter(pk=pk).first()
    if job is None:
        raise Http404(f"no job {pk}")
    return job


def label_of(kind: str) -> str:
    """How people call that kind of job; the kind itself where no feature declares it any more."""
    return all_kinds()[kind].label if kind in all_kinds() else kind


def job_labels(ids: Iterable[str]) -> Mapping[str, str]:
    """Names of jobs by id."""
    found = Job.objects.filter(pk__in=list(ids)).values_list("pk", "kind")
    return {str(pk): f"{label_of(kind)} ({pk})" for pk, kind in found}
