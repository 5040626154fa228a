"""By what the audit can be narrowed."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django import forms
from django.db.models import QuerySet

from duecourse.app.access import Actor, Permission
from duecourse.app.accounts.queries import visible_members
from duecourse.app.audit.codes import all_codes
from duecourse.app.audit.models import AuditEvent
from duecourse.app.books.queries import visible_entities

DAY = forms.DateInput(attrs={"type": "date"})


class EventFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """Who, what, for which entity, and when."""

    who = filters.ChoiceFilter(field_name="actor_id", empty_label="everybody", label="Who")
    what = filters.ChoiceFilter(field_name="code", empty_label="everything", label="What")
    entity = filters.ChoiceFilter(field_name="entity_id", empty_label="all entities", label="Entity")
    since = filters.DateFilter(field_name="at", lookup_expr="date__gte", widget=DAY, label="From")
    until = filters.DateFilter(field_name="at", lookup_expr="date__lte", widget=DAY, label="To")

    def __init__(self, data: Any, queryset: QuerySet[AuditEvent], *, actor: Actor) -> None:  # noqa: ANN401
        super().__init__(data, queryset)
        members = visible_members(actor).prefetch_related(None).values_list("pk", "name")
        entities = visible_entities(actor, Permission.SEE_AUDIT).values_list("pk", "name")
        self.filters["who"].extra["choices"] = [(str(pk), name) for pk, name in members]
        self.filters["what"].extra["choices"] = [(code, code.replace("_", " ")) for code in sorted(all_codes())]
        self.filters["entity"].extra["choices"] = [(str(pk), name) for pk, name in entities]
