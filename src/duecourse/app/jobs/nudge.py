"""The nudge: a task of django-tasks that tells a worker to look at one job. It may be lost; the sweep sends another."""

from __future__ import annotations

from datetime import UTC, datetime

from django_tasks import TaskResultStatus, task


@task()
def look_at(job_id: int) -> None:
    """Run the job if it is ready; any number of nudges run it once."""
    from duecourse.app.jobs.runner import run

    run(job_id, clock=lambda: datetime.now(UTC))


def nudge(job_id: int, *, at: datetime) -> None:
    """Queue a nudge for ``at``, in the transaction of the caller: what is rolled back nudges nobody."""
    look_at.using(run_after=at).enqueue(job_id)


def nudged() -> set[int]:
    """The jobs that a nudge in the queue will still bring to a worker, which may have a long job before them."""
    from django_tasks_db.models import DBTaskResult

    waiting = DBTaskResult.objects.filter(task_path=look_at.module_path, status=TaskResultStatus.READY)
    return {given["args"][0] for given in waiting.values_list("args_kwargs", flat=True)}
