"""What people do to the books."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from duecourse.app.access import Actor, Permission, Refused
from duecourse.app.audit.actions import record
from duecourse.app.books.models import Entity


def open_entity(*, actor: Actor, now: datetime, code: str, name: str, timezone: str, currency: str) -> Entity:
    """Open the books of a legal entity. Its code and currency never change afterwards: addresses and figures use them.

    Raises Refused when the code or the name is taken.
    """
    actor.require(Permission.MANAGE_ENTITIES)
    with transaction.atomic():
        _refuse_taken(name, besides=None)
        if Entity.objects.filter(code=code).exists():
            raise Refused(f"There is an entity with the code {code} already.", "code")
        entity = Entity.objects.create(code=code, name=name, timezone=timezone, currency=currency, opened_at=now)
        record(
            actor=actor, now=now, code="books.entity_opened", subject=("entity", entity.pk), entity_id=entity.pk,
            currency=currency,
        )  # fmt: skip
    return entity


def change_entity(*, actor: Actor, now: datetime, entity: Entity, name: str, timezone: str) -> None:
    """Give an entity another name or time zone. Raises Refused when the name is taken."""
    actor.require(Permission.MANAGE_ENTITIES, entity.pk)
    with transaction.atomic():
        _refuse_taken(name, besides=entity.pk)
        Entity.objects.filter(pk=entity.pk).update(name=name, timezone=timezone)
        record(actor=actor, now=now, code="books.entity_changed", subject=("entity", entity.pk), entity_id=entity.pk)


def _refuse_taken(name: str, *, besides: int | None) -> None:
    if Entity.objects.filter(name__iexact=name).exclude(Q(pk=besides)).exists():
        raise Refused(f"There is an entity named {name} already.", "name")
