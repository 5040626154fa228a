"""What people and features do with jobs: ask for one, cancel one, try one again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from duecourse.app.access import Actor, Permission, Refused
from duecourse.app.audit.actions import record
from duecourse.app.jobs.kinds import all_kinds
from duecourse.app.jobs.models import OPEN, Job, State
from duecourse.app.jobs.nudge import nudge


def ask_for_job(
    *, actor: Actor, now: datetime, kind: str, key: str, arguments: Mapping[str, Any], entity_id: int | None = None
) -> Job:
    """A job of that kind; the open one about the same ``key`` where there is one.

    Belongs into the transaction of the act that asks for it, which checks the right and writes the audit event.
    """
    if kind not in all_kinds():
        raise ValueError(f"the job {kind} is declared in no feature's jobs.py")
    with transaction.atomic():
        found, made = Job.objects.get_or_create(
            key=key, state__in=OPEN,
            defaults={
                "kind": kind, "arguments": dict(arguments), "entity_id": entity_id, "asked_by_id": actor.user_id,
                "asked_at": now, "run_after": now, "state": State.WAITING,
            },
        )  # fmt: skip
        if made:
            nudge(found.pk, at=now)
    return found


def cancel_job(*, actor: Actor, now: datetime, job: Job) -> None:
    """Take a waiting job out of the queue. Raises Refused when it is running or over."""
    actor.require(Permission.MANAGE_JOBS, job.entity_id)
    with transaction.atomic():
        waiting = Job.objects.filter(pk=job.pk, state=State.WAITING)
        if not waiting.update(state=State.CANCELLED, finished_at=now):
            raise Refused("Only a job that waits can be cancelled.")
        record(actor=actor, now=now, code="jobs.cancelled", subject=("job", job.pk), entity_id=job.entity_id)


def retry_job(*, actor: Actor, now: datetime, job: Job) -> None:
    """Try a failed or cancelled job again, from the start. Raises Refused when it is open, done, or asked for anew."""
    actor.require(Permission.MANAGE_JOBS, job.entity_id)
    with transaction.atomic():
        if Job.objects.filter(key=job.key, state__in=OPEN).exists():
            raise Refused("The same work waits or runs already.")
        over = Job.objects.filter(pk=job.pk, state__in=(State.FAILED, State.CANCELLED))
        if not over.update(state=State.WAITING, run_after=now, attempts=0, error="", doing="", done=0, total=None):
            raise Refused("Only a job that failed or was cancelled can be tried again.")
        nudge(job.pk, at=now)
        record(actor=actor, now=now, code="jobs.retried", subject=("job", job.pk), entity_id=job.entity_id)
