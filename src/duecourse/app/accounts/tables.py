"""The tables about people."""

from __future__ import annotations

from typing import Any, ClassVar

import django_tables2 as tables
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html

from duecourse.app.accounts.models import User


class MemberTable(tables.Table):  # type: ignore[misc]  # django-tables2 ships no types
    """People, their roles, and whether they sign in with a second factor."""

    name = tables.Column()
    email = tables.Column(verbose_name="E-mail")
    roles = tables.Column(accessor="visible_memberships", orderable=False)
    has_second_factor = tables.BooleanColumn(verbose_name="Second factor", yesno="on,off")
    last_login = tables.DateTimeColumn(verbose_name="Last seen", default="never", format="j M Y")

    class Meta:
        """In the order of their names."""

        empty_text = "Nobody is here yet."
        order_by = "name"
        row_attrs: ClassVar[dict[str, Any]] = {"data-inactive": lambda record: None if record.is_active else "true"}

    def render_name(self, value: str, record: User) -> str:
        """The name as a link to the person, marked when deactivated."""
        link = format_html('<a class="link" href="{}">{}</a>', reverse("accounts:member", args=[record.pk]), value)
        return link if record.is_active else format_html('{} <span class="tag">deactivated</span>', link)

    def render_roles(self, value: list[Any]) -> str:
        """One line per role."""
        return render_to_string("accounts/roles.html", {"memberships": value})

    def render_has_second_factor(self, value: bool) -> str:
        """On or off in words."""
        return "on" if value else "off"
