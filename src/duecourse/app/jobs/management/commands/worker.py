"""``duecourse manage worker``: runs jobs until it is stopped. ``duecourse serve`` starts one by itself."""

from __future__ import annotations

import os
import socket
import threading
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections, connection
from django_tasks_db.management.commands.db_worker import Worker

from duecourse.app.jobs.models import Job, State
from duecourse.app.jobs.runner import log, still_here, sweep

SWEEP_EVERY_SECONDS = 15.0


class Command(BaseCommand):
    """One worker: a loop over the queue, and beside it a sweep that also says that the worker is alive."""

    help = "Run jobs until stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether to stop when nothing is left."""
        parser.add_argument("--until-empty", action="store_true", help="stop when no job is ready")

    def handle(self, *_: Any, until_empty: bool, **__: Any) -> None:  # noqa: ANN401 - Django's signature
        """Work."""
        stop = threading.Event()
        since = datetime.now(UTC)
        sweep(since)
        watch = threading.Thread(target=_watch, args=(stop, since), daemon=True)
        watch.start()
        worker = Worker(
            queue_names=["default"], interval=0.5, batch=until_empty, backend_name="default", startup_delay=False,
            max_tasks=None, worker_id=f"{socket.gethostname()[:40]}-{os.getpid()}", excluded_queue_names=[],
        )  # fmt: skip
        worker.configure_signals()
        try:
            worker.run()
        finally:
            stop.set()
            watch.join(timeout=5)


def _watch(stop: threading.Event, since: datetime) -> None:
    """Every quarter of a minute: the jobs that run here are alive; the sweep looks after the rest."""
    while not stop.wait(SWEEP_EVERY_SECONDS):
        try:
            now = datetime.now(UTC)
            # One worker serves an installation (docs/operations/jobs.md): what started since it began is its own.
            running = Job.objects.filter(state=State.RUNNING, started_at__gte=since)
            still_here(list(running.values_list("pk", flat=True)), now)
            sweep(now)
        except Exception:
            log.exception("the sweep failed; it is tried again")
        finally:
            close_old_connections()
    connection.close()
