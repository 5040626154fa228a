"""The table of jobs."""

from __future__ import annotations

import django_tables2 as tables
from django.template.loader import render_to_string

from duecourse.app.jobs.models import Job
from duecourse.app.jobs.queries import label_of


class JobTable(tables.Table):  # type: ignore[misc]  # django-tables2 ships no types
    """Jobs, the newest first."""

    kind = tables.Column(verbose_name="Job", linkify=("jobs:job", {"pk": tables.A("pk")}), orderable=False)
    entity = tables.Column(default="organisation", orderable=False)
    state = tables.Column(orderable=False)
    asked_at = tables.DateTimeColumn(verbose_name="Asked for (UTC)", format="j M Y H:i", orderable=False)
    asked_by = tables.Column(default="duecourse", orderable=False)

    def render_kind(self, value: str) -> str:
        """As people call it."""
        return label_of(value)

    def render_state(self, record: Job) -> str:
        """Where it stands, and how far it is."""
        return render_to_string("jobs/state.html", {"job": record})
