"""The tables about the books."""

from __future__ import annotations

from typing import ClassVar

import django_tables2 as tables


class EntityTable(tables.Table):  # type: ignore[misc]  # django-tables2 ships no types
    """Legal entities with what is fixed about them."""

    name = tables.Column(linkify=("books:entity", {"code": tables.A("code")}))
    code = tables.Column()
    currency = tables.Column()
    timezone = tables.Column(verbose_name="Time zone")
    opened_at = tables.DateTimeColumn(verbose_name="Opened", format="j M Y")

    class Meta:
        """In the order of their names."""

        order_by: ClassVar[str] = "name"
