"""The screens about the books."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe
from django_tables2 import RequestConfig

from duecourse.app.access import Permission, Refused
from duecourse.app.books import actions, queries
from duecourse.app.books.forms import EntityForm, NewEntityForm
from duecourse.app.books.tables import EntityTable
from duecourse.app.http import Request
from duecourse.app.ui.forms import refuse
from duecourse.app.ui.needs import needs


@needs(Permission.SEE_ENTITIES)
@require_safe
def entities(request: Request) -> HttpResponse:
    """The legal entities for which the person holds a role."""
    table = EntityTable(queries.visible_entities(request.actor, Permission.SEE_ENTITIES))
    RequestConfig(request, paginate={"per_page": 50}).configure(table)
    may_open = request.actor.may(Permission.MANAGE_ENTITIES)
    return render(request, "books/entities.html", {"table": table, "may_open": may_open})


@needs(Permission.MANAGE_ENTITIES)
@require_http_methods(["GET", "HEAD", "POST"])
def open_entity(request: Request) -> HttpResponse:
    """Open the books of a legal entity; needs the right over all entities."""
    request.actor.require(Permission.MANAGE_ENTITIES)
    form = NewEntityForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            entity = actions.open_entity(actor=request.actor, now=request.now, **form.cleaned_data)
        except Refused as error:
            refuse(form, error)
        else:
            messages.success(request, f"The books of {entity.name} are open.")
            return redirect("books:entity", entity.code)
    return render(request, "books/open.html", {"form": form})


@needs(Permission.SEE_ENTITIES)
@require_http_methods(["GET", "HEAD", "POST"])
def entity(request: Request, code: str) -> HttpResponse:
    """One legal entity; POST changes its name or time zone."""
    one = queries.entity_for(request.actor, code, Permission.SEE_ENTITIES)
    may_change = request.actor.may(Permission.MANAGE_ENTITIES, one.pk)
    form = EntityForm(request.POST or None, initial={"name": one.name, "timezone": one.timezone})
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_entity(actor=request.actor, now=request.now, entity=one, **form.cleaned_data)
        except Refused as error:
            refuse(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("books:entity", code)
    return render(request, "books/entity.html", {"entity": one, "form": form, "may_change": may_change})
