"""The nudge: a task of django-tasks that tells a worker to look at one job. It may be lost; the sweep sends another."""

from __future__ import annotations

from datetime import UTC, datetime

from django_tasks import task


@task()
def look_at(job_id: int) -> None:
    """Run the job if it is ready; any number of nudges run it once."""
    from duecourse.app.jobs.runner import run

    run(job_id, clock=lambda: datetime.now(UTC))


def nudge(job_id: int, *, at: datetime) -> None:
    """Queue a nudge for ``at``, in the transaction of the caller: what is rolled back nudges nobody."""
    look_at.using(run_after=at).enqueue(job_id)
