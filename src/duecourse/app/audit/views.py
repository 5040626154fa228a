"""The screen of the audit."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from duecourse.app.access import Permission
from duecourse.app.audit.filters import EventFilter
from duecourse.app.audit.queries import chain_heads, in_words, visible_events
from duecourse.app.http import Request
from duecourse.app.ui.needs import needs
from duecourse.app.ui.paging import PER_PAGE


@needs(Permission.SEE_AUDIT)
@require_safe
def events(request: Request) -> HttpResponse:
    """What was done, newest first, by whom and for which entity; narrowed by the filters in the address."""
    found = EventFilter(request.GET, visible_events(request.actor), actor=request.actor)
    page = Paginator(found.qs, PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "audit/events.html",
        {
            "filter": found,
            "page": page,
            "events": in_words(page.object_list),
            "heads": chain_heads() if request.actor.may(Permission.SEE_AUDIT) else [],
            "narrowed": any(request.GET.get(name) for name in found.filters),
        },
    )
