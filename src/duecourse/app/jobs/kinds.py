"""The kinds of jobs of all features: what each does, how people call it, and when it runs by itself.

A feature declares ``JOBS`` in its ``jobs.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import module_has_submodule

Result = Mapping[str, Any]


class Report(Protocol):
    """By which a job says how far it is."""

    def __call__(self, doing: str, done: int = 0, total: int | None = None) -> None:
        """Store what the job is doing, and how many of how many it did."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a handler is given: its arguments, the moment, and the way to report."""

    arguments: Mapping[str, Any]
    asked_by_id: int | None
    now: datetime
    report: Report


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of job.

    ``daily_at`` is the hour (UTC) at which it runs by itself. A DuecourseError from ``run`` is final and its text is
    for people; any other error is tried again, up to ``attempts`` times.
    """

    label: str
    run: Callable[[Work], Result]
    attempts: int = 3
    daily_at: int | None = None


@cache
def all_kinds() -> Mapping[str, Kind]:
    """Every kind of every feature. Raises ValueError when two features declare the same one."""
    kinds: dict[str, Kind] = {}
    for feature in settings.FEATURES:
        package = import_module(f"duecourse.app.{feature}")
        if not module_has_submodule(package, "jobs"):
            continue
        for name, kind in import_module(f"{package.__name__}.jobs").JOBS.items():
            if name in kinds:
                raise ValueError(f"the job {name} is declared twice")
            kinds[name] = kind
    return kinds
