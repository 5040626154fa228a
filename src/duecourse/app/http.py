"""The request as our views get it: Django's own, with who is acting and when."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest

from duecourse.app.access import Actor


class Request(HttpRequest):
    """A request after our middleware: ``actor`` holds the person's grants, ``now`` the moment it came in (UTC)."""

    actor: Actor
    now: datetime
