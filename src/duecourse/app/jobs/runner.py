"""Running jobs: claim, run, retry with growing pauses, recover what a dead worker left, and start what is due daily."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from duecourse.app.access import SYSTEM
from duecourse.app.jobs.actions import ask_for_job
from duecourse.app.jobs.kinds import Work, all_kinds
from duecourse.app.jobs.models import Job, State
from duecourse.app.jobs.nudge import nudge, nudged
from duecourse.core.errors import DuecourseError
from duecourse.core.ids import sha256_hex

log = logging.getLogger("duecourse.jobs")
FIRST_PAUSE, PAUSE_GROWS = timedelta(seconds=30), 4
STALE_AFTER = timedelta(minutes=3)
FAULT = "A fault of the program, not of your data. The log holds its cause under this job's number."
Clock = Callable[[], datetime]


def pause_before(job_id: int, attempt: int) -> timedelta:
    """How long to wait before ``attempt`` (2, 3 ...): 30 s, 2 min, 8 min ..., each half to whole, keyed by the job."""
    whole: timedelta = FIRST_PAUSE * PAUSE_GROWS ** (attempt - 2)
    share = int(sha256_hex(b"pause", str(job_id).encode(), str(attempt).encode())[:8], 16) / 2**32
    return whole * (0.5 + 0.5 * share)


def run(job_id: int, *, clock: Clock) -> None:
    """Run one job if it is ready, to its end or to its next try. A second caller at the same time does nothing."""
    now = clock()
    claimed = Job.objects.filter(pk=job_id, state=State.WAITING, run_after__lte=now)
    if not claimed.update(state=State.RUNNING, started_at=now, seen_at=now, finished_at=None):
        return
    job = Job.objects.get(pk=job_id)
    attempt = job.attempts + 1
    mine = Job.objects.filter(pk=job_id, state=State.RUNNING, started_at=now)
    mine.update(attempts=attempt)

    def report(doing: str, done: int = 0, total: int | None = None) -> None:
        mine.update(doing=doing[:200], done=done, total=total, seen_at=clock())

    try:
        result = all_kinds()[job.kind].run(Work(job.arguments, job.asked_by_id, now, report))
        mine.update(state=State.DONE, finished_at=clock(), result=dict(result), error="", doing="")
    except DuecourseError as error:
        mine.update(state=State.FAILED, finished_at=clock(), error=str(error), doing="")
    except Exception:
        log.exception("job failed", extra={"job": job_id, "kind": job.kind, "attempt": attempt})
        _again_or_never(job, attempt, clock())


def _again_or_never(job: Job, attempt: int, now: datetime) -> None:
    kind = all_kinds().get(job.kind)
    with transaction.atomic():
        # By its start: a worker that was given up must not end the try that came after it.
        mine = Job.objects.filter(pk=job.pk, state=State.RUNNING, started_at=job.started_at)
        if kind is None or attempt >= kind.attempts:
            mine.update(state=State.FAILED, finished_at=now, error=FAULT, doing="")
            return
        later = now + pause_before(job.pk, attempt + 1)
        if mine.update(state=State.WAITING, run_after=later, doing=""):
            nudge(job.pk, at=later)


def still_here(job_ids: list[int], now: datetime) -> None:
    """A worker says that it is alive and works on these jobs."""
    Job.objects.filter(pk__in=job_ids, state=State.RUNNING).update(seen_at=now)


def sweep(now: datetime) -> None:
    """Take back what a dead worker left, nudge what a lost nudge left, and ask for what is due today."""
    for job in Job.objects.filter(state=State.RUNNING, seen_at__lt=now - STALE_AFTER):
        log.warning("a worker left a job", extra={"job": job.pk, "kind": job.kind})
        _again_or_never(job, job.attempts, now)
    late = Job.objects.filter(state=State.WAITING, run_after__lt=now - STALE_AFTER).values_list("pk", flat=True)
    for job_id in set(late) - nudged():
        nudge(job_id, at=now)
    for name, kind in all_kinds().items():
        key = f"{name} {now.date()}"
        due = kind.daily_at is not None and now.hour >= kind.daily_at
        if due and not Job.objects.filter(key=key).exists():
            ask_for_job(actor=SYSTEM, now=now, kind=name, key=key, arguments={"day": now.date().isoformat()})
