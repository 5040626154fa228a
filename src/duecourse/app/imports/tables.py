"""The table of imports."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables

from duecourse.app.imports.models import Import


class ImportTable(tables.Table):  # type: ignore[misc]  # django-tables2 ships no types
    """Imports, the newest first."""

    files = tables.Column(linkify=("imports:show", {"pk": tables.A("pk")}), orderable=False)
    entity = tables.Column(orderable=False)
    stage = tables.Column(orderable=False)
    asked_at = tables.DateTimeColumn(verbose_name="Uploaded (UTC)", format="j M Y H:i", orderable=False)
    asked_by = tables.Column(default="duecourse", orderable=False)

    def render_files(self, record: Import) -> str:
        """Their names."""
        return str(record)

    def render_stage(self, record: Import, value: Any) -> str:  # noqa: ANN401 - a choice's label
        """In words; a loaded one that was undone says so."""
        return "undone" if record.load is not None and record.load.undone_at else str(value).lower()
