"""What people do to the books."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from duecourse.app.access import Actor, Permission, Refused
from duecourse.app.audit.actions import record
from duecourse.app.books.models import BookLoad, Entity
from duecourse.ledger.schema import TABLES

if TYPE_CHECKING:
    import polars as pl

    from duecourse.app.books.bulk import Addition
    from duecourse.ledger.as_of import Ledger


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


def load_ledger(*, actor: Actor, now: datetime, entity: Entity, ledger: Ledger, source: str) -> BookLoad:
    """Add a ledger to the books of ``entity``, all of it or nothing; gives the load, by which it can be undone.

    What the books say already is left alone; what differs becomes a newer version known from ``now`` on. Raises Refused
    when nothing is new, and BadInput with every problem when the books would break an invariant of the ledger.
    """
    from duecourse.app.books.bulk import addition, insert, stored_rows

    actor.require(Permission.IMPORT_BOOKS, entity.pk)
    with transaction.atomic():
        _lock_books(entity)
        names = [name for name in TABLES if ledger.table(name).height]
        stored = {name: stored_rows(entity.pk, name) for name in TABLES}
        added = {name: addition(TABLES[name], stored[name], ledger.table(name), now=now) for name in names}
        added = {name: one for name, one in added.items() if one.rows.height}
        if not added:
            raise Refused(f"The books of {entity.name} hold everything that {source} says already.")
        _refuse_broken(entity, stored, added)
        counts = {name: one.rows.height for name, one in added.items()}
        load = BookLoad.objects.create(
            entity=entity, source=source[:200], loaded_at=now, loaded_by_id=actor.user_id, row_counts=counts,
            row_count=sum(counts.values()),
        )  # fmt: skip
        insert(load, added)
        record(
            actor=actor, now=now, code="books.ledger_loaded", subject=("load", load.pk), entity_id=entity.pk,
            rows=load.row_count,
        )  # fmt: skip
    return load


def undo_load(*, actor: Actor, now: datetime, load: BookLoad) -> None:
    """Take out what a load brought, as if it had never been. Raises Refused unless it is the newest of its entity."""
    from duecourse.app.books.bulk import remove

    actor.require(Permission.IMPORT_BOOKS, load.entity_id)
    with transaction.atomic():
        _lock_books(load.entity)
        newest = BookLoad.objects.filter(entity_id=load.entity_id, undone_at=None).first()
        if newest is None or newest.pk != load.pk:
            raise Refused("Only the newest load can be undone; undo the ones after it first.")
        remove(load)
        BookLoad.objects.filter(pk=load.pk).update(undone_at=now)
        record(
            actor=actor, now=now, code="books.load_undone", subject=("load", load.pk), entity_id=load.entity_id,
            rows=load.row_count,
        )  # fmt: skip


def _lock_books(entity: Entity) -> None:
    """Two loads of one entity follow each other."""
    Entity.objects.select_for_update().get(pk=entity.pk)


def _refuse_broken(entity: Entity, stored: Mapping[str, pl.DataFrame], added: Mapping[str, Addition]) -> None:
    """Raises BadInput when the books with the additions break an invariant of the ledger."""
    from duecourse.app.books.bulk import combined
    from duecourse.core.errors import BadInput
    from duecourse.ledger.as_of import Ledger
    from duecourse.ledger.checks import invariant_problems

    frames = {name: combined(TABLES[name], frame, added.get(name)) for name, frame in stored.items()}
    problems = invariant_problems(Ledger.from_frames(frames))
    if problems:
        raise BadInput(f"The books of {entity.name} would no longer hold; nothing was changed.", problems)


def _refuse_taken(name: str, *, besides: int | None) -> None:
    if Entity.objects.filter(name__iexact=name).exclude(Q(pk=besides)).exists():
        raise Refused(f"There is an entity named {name} already.", "name")
