"""``duecourse doctor``: says what is missing on this machine, and the one line that cures it, before anything fails.

Imports nothing but click, so that it can report the absence of everything else.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import click

LIBGOMP_CURE = "install libgomp1 (Debian, Ubuntu) or libgomp (Fedora, RHEL), then run again"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it is fine, what was seen, and how to mend it."""

    what: str
    fine: bool
    seen: str
    cure: str = ""
    needed: bool = True


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")


def _library(name: str, cure: str) -> Finding:
    try:
        module = importlib.import_module(name)
    except (ImportError, OSError) as error:
        return Finding(name, False, str(error).splitlines()[0], cure)
    return Finding(name, True, str(getattr(module, "__version__", "present")))


def _memory() -> Finding:
    pages = os.sysconf("SC_PHYS_PAGES") if "SC_PHYS_PAGES" in os.sysconf_names else 0
    gib = pages * os.sysconf("SC_PAGE_SIZE") / 2**30 if pages > 0 else 0.0
    return Finding("memory", gib >= 4 or not gib, f"{gib:.1f} GiB", "4 GiB serve 100,000 open invoices", needed=False)


def _disk(path: Path) -> Finding:
    free = shutil.disk_usage(path).free / 2**30
    return Finding("free disk space here", free >= 1, f"{free:.1f} GiB", "free at least 1 GiB", needed=False)


def examine() -> list[Finding]:
    """Everything the program needs, in the order in which it would be missed."""
    reinstall = "run `make setup`, or pip install --require-hashes -r requirements/run.lock"
    return [
        _python(),
        *(_library(name, reinstall) for name in ("polars", "numpy", "scipy", "babel", "python_calamine", "rapidfuzz")),
        _library("lightgbm", LIBGOMP_CURE),
        _memory(),
        _disk(Path.cwd()),
    ]


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print a machine-readable summary on stdout.")
@click.pass_context
def doctor(ctx: click.Context, *, as_json: bool) -> None:
    """Say what is missing on this machine and how to mend it."""
    findings = examine()
    lines = [
        f"{'ok     ' if f.fine else 'MISSING' if f.needed else 'low    '} {f.what}: {f.seen}"
        + ("" if f.fine else f"\n        {f.cure}")
        for f in findings
    ]
    broken = [f for f in findings if f.needed and not f.fine]
    lines.append("everything is in place" if not broken else f"{len(broken)} to mend")
    summary = {"fine": not broken, "findings": [asdict(f) for f in findings]}
    click.echo(json.dumps(summary, indent=2) if as_json else "\n".join(lines))
    ctx.exit(1 if broken else 0)
