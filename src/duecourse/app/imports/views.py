"""The screens of an import: upload, what was found, other answers, loading."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from duecourse.app.access import Permission, Refused
from duecourse.app.http import Request
from duecourse.app.imports import actions, queries, storage
from duecourse.app.imports.forms import AnswersForm, ColumnsForm, UploadForm
from duecourse.app.imports.models import Import, Stage
from duecourse.app.imports.tables import ImportTable
from duecourse.app.jobs.models import OPEN
from duecourse.app.ui.forms import act, refuse
from duecourse.app.ui.needs import needs
from duecourse.app.ui.paging import lay_out


@needs(Permission.IMPORT_BOOKS)
@require_safe
def imports(request: Request) -> HttpResponse:
    """Every import into the books of the person's entities."""
    table = ImportTable(queries.visible_imports(request.actor))
    lay_out(request, table)
    return render(request, "imports/imports.html", {"table": table})


@needs(Permission.IMPORT_BOOKS)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: Request) -> HttpResponse:
    """Upload files; they are read at once, and nothing enters the books before a person says so."""
    form = UploadForm(request.actor, request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        folder, names = storage.store(form.cleaned_data["exports"])
        try:
            started = actions.start_import(
                actor=request.actor, now=request.now, entity=form.cleaned_data["entity"], folder=folder, files=names,
                answers={},
            )  # fmt: skip
        except Exception as error:
            storage.forget(folder)
            if not isinstance(error, Refused):
                raise
            refuse(form, error)
        else:
            return redirect("imports:show", started.pk)
    return render(request, "imports/new.html", {"form": form})


@needs(Permission.IMPORT_BOOKS)
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: Request, pk: int) -> HttpResponse:
    """One import: what was found in it; POST reads it again with other answers."""
    one = queries.import_for(request.actor, pk)
    found = one.found or {}
    sent = request.POST if request.method == "POST" else None
    answers = AnswersForm(sent, initial=one.answers)
    columns = ColumnsForm(found.get("tables", []), sent)
    if request.method == "POST" and answers.is_valid() and columns.is_valid():
        chosen = {**one.answers.get("columns", {}), **columns.changed_columns}
        given = {**answers.answers, **({"columns": chosen} if chosen else {})}
        return act(
            request, lambda: actions.read_again(actor=request.actor, now=request.now, one=one, answers=given),
            "The files are read again.", reverse("imports:show", args=[pk]),
        )  # fmt: skip
    return render(
        request,
        "imports/show.html",
        {"one": one, "found": found, **_standing(one), "answers": answers, "columns": columns},
    )


def _standing(one: Import) -> dict[str, bool]:
    """What the page may offer at this stage."""
    over = one.stage in actions.SETTLED
    busy = not over and one.job is not None and one.job.state in OPEN
    broke = not busy and one.stage in (Stage.READING, Stage.LOADING)
    return {"busy": busy, "broke": broke, "over": over}


@needs(Permission.IMPORT_BOOKS)
@require_POST
def load(request: Request, pk: int) -> HttpResponse:
    """Put what was read into the books."""
    one = queries.import_for(request.actor, pk)
    return act(
        request, lambda: actions.ask_to_load(actor=request.actor, now=request.now, one=one),
        "It is being loaded; you can leave this page.", reverse("imports:show", args=[pk]),
    )  # fmt: skip


@needs(Permission.IMPORT_BOOKS)
@require_POST
def give_up(request: Request, pk: int) -> HttpResponse:
    """Discard an import and its files."""
    one = queries.import_for(request.actor, pk)
    return act(
        request, lambda: actions.discard(actor=request.actor, now=request.now, one=one),
        f"{one} is discarded and its files are deleted.", reverse("imports:imports"),
    )  # fmt: skip
