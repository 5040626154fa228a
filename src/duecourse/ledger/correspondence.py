"""Whose turn it is to write: messages of theirs that nobody has answered yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

WRITTEN_CHANNELS = ("email", "sms", "letter", "portal")
UNANSWERED_FOR_DAYS = 30  # our assumption: an older message is no longer a question that waits


def days_unanswered(activities: Iterable[Mapping[str, Any]], as_of: date) -> int | None:
    """Days since a written message of theirs after which nothing went out; None when all is answered or long past.

    ``activities`` are rows of that table in order of time.
    """
    waiting: date | None = None
    for row in activities:
        if row["direction"] == "out":
            waiting = None
        elif row["channel"] in WRITTEN_CHANNELS:
            waiting = row["occurred_at"].date()
    days = None if waiting is None else (as_of - waiting).days
    return days if days is not None and days <= UNANSWERED_FOR_DAYS else None
