"""Reading the books: the entities that a person may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db.models import QuerySet
from django.http import Http404

from duecourse.app.access import Actor, Permission
from duecourse.app.books.models import Entity


def visible_entities(actor: Actor, permission: Permission = Permission.SEE_BOOKS) -> QuerySet[Entity]:
    """The entities for which ``actor`` holds ``permission``, by name."""
    held = actor.entities(permission)
    return Entity.objects.all() if held is None else Entity.objects.filter(pk__in=held)


def entity_for(actor: Actor, code: str, permission: Permission = Permission.SEE_BOOKS) -> Entity:
    """The entity with that code. Raises Http404 when there is none or when it is foreign to ``actor``."""
    entity = visible_entities(actor, permission).filter(code=code).first()
    if entity is None:
        raise Http404(f"no entity {code}")
    return entity


def entity_labels(ids: Iterable[str]) -> Mapping[str, str]:
    """Names of entities by id."""
    return {str(pk): name for pk, name in Entity.objects.filter(pk__in=list(ids)).values_list("pk", "name")}
