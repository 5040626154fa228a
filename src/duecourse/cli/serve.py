"""``duecourse serve``: brings the database up to date, then serves the web application until it is stopped."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import click

from duecourse.cli.common import note
from duecourse.cli.installation import prepare
from duecourse.core.errors import UsageError

APPLICATION = "duecourse.app.wsgi:application"
USUAL_URL = "http://127.0.0.1:8000"


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; a proxy stands in front.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--threads", type=click.IntRange(1, 64), default=8, show_default=True, help="Requests served at a time.")
@click.option("--worker/--no-worker", default=True, show_default=True, help="Run jobs too, in a process beside it.")
def serve(*, host: str, port: int, threads: int, worker: bool) -> None:
    """Serve the web application and run its jobs. Settings come from DUECOURSE_* variables.

    Without any, all is kept in duecourse-data.

    The first time it prints how the first administrator gets in.
    """
    os.environ.setdefault("DUECOURSE_URL", f"http://{f'[{host}]' if ':' in host else host}:{port}")
    prepare(os.environ)
    refuse_taken(host, port)
    bring_up_to_date()
    note(f"duecourse listens on {os.environ['DUECOURSE_URL']}; stop it with Ctrl-C")
    with working() if worker else nullcontext():
        listen(host, port, threads)


def refuse_taken(host: str, port: int) -> None:
    """Raises UsageError when nothing can listen there: mostly because another one does already."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise UsageError(
                f"cannot listen on {host} port {port} ({reason}): stop what listens there, or choose another --port"
            ) from None


def bring_up_to_date() -> None:
    """Check the settings, migrate the database, lay out the static files, and say what a fresh installation needs."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("check", "--fail-level", "ERROR")
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    from django.contrib.auth import get_user_model

    if not get_user_model().objects.exists():
        note(first_invitation(os.environ["DUECOURSE_URL"]))


def first_invitation(url: str) -> str:
    """How the first administrator gets in, with the address of the link where it is not the usual one."""
    address = "" if url == USUAL_URL else f"DUECOURSE_URL={url} "
    return (
        f"nobody can sign in yet: run `{address}duecourse manage invite YOUR@ADDRESS` and open the link that it prints"
    )


@contextmanager
def working() -> Iterator[None]:
    """A worker in a process of its own while the block runs; one that dies is started again after a moment."""
    command = [sys.executable, "-c", "from duecourse.cli.main import main; main()", "manage", "worker"]
    stopping = threading.Event()
    running = [subprocess.Popen(command)]

    def watch() -> None:
        while not stopping.wait(2.0):
            if running[0].poll() is not None:
                note("the worker ended; another one starts")
                running[0] = subprocess.Popen(command)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stopping.set()
        watcher.join()
        running[0].terminate()
        try:
            running[0].wait(timeout=20)
        except subprocess.TimeoutExpired:
            running[0].kill()


def listen(host: str, port: int, threads: int) -> None:
    """Serve until a signal comes; requests under way are finished."""
    from granian import Granian
    from granian.constants import Interfaces

    Granian(
        APPLICATION, address=host, port=port, interface=Interfaces.WSGI, workers=1, blocking_threads=threads,
        websockets=False, log_enabled=False, workers_kill_timeout=20,
    ).serve()  # fmt: skip
