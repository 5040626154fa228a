"""The screens about the books."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from duecourse.app.access import Permission, Refused
from duecourse.app.books import actions, queries
from duecourse.app.books.forms import EntityForm, InvoiceSearch, NewEntityForm
from duecourse.app.books.tables import EntityTable, InvoiceTable
from duecourse.app.http import Request
from duecourse.app.ui.forms import act, refuse
from duecourse.app.ui.needs import needs
from duecourse.app.ui.paging import lay_out


@needs(Permission.SEE_ENTITIES)
@require_safe
def entities(request: Request) -> HttpResponse:
    """The legal entities for which the person holds a role."""
    table = EntityTable(queries.visible_entities(request.actor, Permission.SEE_ENTITIES))
    lay_out(request, table)
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
    may_see, may_import = (
        request.actor.may(permission, one.pk) for permission in (Permission.SEE_BOOKS, Permission.IMPORT_BOOKS)
    )
    loads = list(queries.loads_of(one)[:20]) if may_see else []
    context = {
        "entity": one, "form": form, "may_change": may_change, "may_see": may_see, "may_import": may_import,
        "loads": loads, "undoable": next((load.pk for load in loads if load.undone_at is None), None),
    }  # fmt: skip
    return render(request, "books/entity.html", context)


@needs(Permission.SEE_BOOKS)
@require_safe
def invoices(request: Request, code: str) -> HttpResponse:
    """The invoices of one legal entity, narrowed by the search in the address."""
    one = queries.entity_for(request.actor, code)
    found = queries.invoices_of(one, now=request.now)
    search = InvoiceSearch(request.GET)
    if search.is_valid():
        wanted = search.cleaned_data
        found = queries.search_invoices(found, one, wanted["q"]) if wanted["q"] else found
        found = found.filter(due_on__gte=wanted["due_from"]) if wanted["due_from"] else found
        found = found.filter(due_on__lte=wanted["due_to"]) if wanted["due_to"] else found
    else:
        found = found.none()
    table = InvoiceTable(found, today=request.now.date())
    lay_out(request, table)
    narrowed = any(request.GET.get(name) for name in search.fields)
    context = {"entity": one, "table": table, "search": search, "narrowed": narrowed}
    return render(request, "books/invoices.html", context)


@needs(Permission.IMPORT_BOOKS)
@require_POST
def undo(request: Request, pk: int) -> HttpResponse:
    """Take a load out again."""
    load = queries.load_for(request.actor, pk)
    return act(
        request, lambda: actions.undo_load(actor=request.actor, now=request.now, load=load),
        f"{load.source} is out of the books again.", reverse("books:entity", args=[load.entity.code]),
    )  # fmt: skip
