"""Reading imports: those of the entities into whose books a person may import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db.models import QuerySet
from django.http import Http404

from duecourse.app.access import Actor, Permission
from duecourse.app.imports.models import Import


def visible_imports(actor: Actor) -> QuerySet[Import]:
    """Imports that ``actor`` may see, newest first."""
    held = actor.entities(Permission.IMPORT_BOOKS)
    found = Import.objects.all() if held is None else Import.objects.filter(entity_id__in=held)
    return found.select_related("entity", "asked_by", "job", "load")


def import_for(actor: Actor, pk: int) -> Import:
    """That import. Raises Http404 when there is none or when it is foreign to ``actor``."""
    one = visible_imports(actor).filter(pk=pk).first()
    if one is None:
        raise Http404(f"no import {pk}")
    return one


def import_labels(ids: Iterable[str]) -> Mapping[str, str]:
    """Names of the files of imports by id."""
    return {str(one.pk): str(one) for one in Import.objects.filter(pk__in=list(ids)).only("files")}
