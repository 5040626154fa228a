"""Reading the books: the entities that a person may see, what was loaded into them, and their invoices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Greatest
from django.http import Http404

from duecourse.app.access import Actor, Permission
from duecourse.app.books.models import BookLoad, Entity
from duecourse.app.books.rows import Allocation, Customer, Invoice


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


def load_labels(ids: Iterable[str]) -> Mapping[str, str]:
    """Sources of loads by id."""
    return {str(pk): source for pk, source in BookLoad.objects.filter(pk__in=list(ids)).values_list("pk", "source")}


def loads_of(entity: Entity) -> QuerySet[BookLoad]:
    """What was loaded into the books of ``entity``, newest first."""
    return BookLoad.objects.filter(entity=entity).select_related("loaded_by")


def with_customer_names(found: QuerySet[Any], entity: Entity) -> QuerySet[Any]:
    """The same rows with ``customer_name``, by their ``customer_id``."""
    named = Customer.objects.filter(legal_entity=entity, is_newest=True, customer_id=OuterRef("customer_id"))
    annotated: QuerySet[Any] = found.annotate(customer_name=Subquery(named.values("name")[:1]))
    return annotated


def customer_ids_named(entity: Entity, text: str) -> QuerySet[Customer, Any]:
    """Ids of the customers whose name holds ``text``."""
    return Customer.objects.filter(legal_entity=entity, is_newest=True, name__icontains=text).values("customer_id")


def entity_by_id(pk: int) -> Entity:
    """That entity, for a job."""
    return Entity.objects.get(pk=pk)


def changed_since(entity: Entity, moment: datetime) -> bool:
    """Whether something was loaded into the books of ``entity``, or taken out again, after ``moment``."""
    changed = Q(loaded_at__gt=moment) | Q(undone_at__gt=moment)
    return BookLoad.objects.filter(changed, entity=entity).exists()


def entities_with_books() -> list[Entity]:
    """The entities whose books hold something."""
    loaded = BookLoad.objects.filter(entity=OuterRef("pk"), undone_at=None)
    return list(Entity.objects.filter(Exists(loaded)))


def any_loads(entities: QuerySet[Entity]) -> bool:
    """Whether anything is in the books of any of these entities."""
    return BookLoad.objects.filter(entity__in=entities, undone_at=None).exists()


def load_for(actor: Actor, pk: int) -> BookLoad:
    """That load. Raises Http404 when there is none or when it is foreign to ``actor``."""
    held = actor.entities(Permission.IMPORT_BOOKS)
    found = BookLoad.objects.filter(pk=pk).select_related("entity")
    load = (found if held is None else found.filter(entity_id__in=held)).first()
    if load is None:
        raise Http404(f"no load {pk}")
    return load


def _counts_today(now: datetime) -> Q:
    """Rows that count: the newest version, unless it is voided."""
    return Q(is_newest=True) & (Q(voided_at=None) | Q(voided_at__gt=now))


def invoices_of(entity: Entity, *, now: datetime) -> QuerySet[Invoice]:
    """The invoices of ``entity`` with ``open_minor`` and ``customer_name``, newest issue first.

    ``open_minor`` is the amount less what is applied and not reversed today, as ``ledger.balances`` defines it.
    """
    today = now.date()
    applied = (
        Allocation.objects.filter(
            _counts_today(now), Q(reversed_on=None) | Q(reversed_on__gt=today),
            legal_entity=entity, invoice_id=OuterRef("invoice_id"), applied_on__lte=today,
        )
        .values("invoice_id").annotate(applied=Sum("amount_minor")).values("applied")
    )  # fmt: skip
    found = Invoice.objects.filter(_counts_today(now), legal_entity=entity)
    return found.annotate(
        open_minor=Greatest(
            F("amount_minor") - Coalesce(Subquery(applied), 0, output_field=BigIntegerField()),
            0,
            output_field=BigIntegerField(),
        ),
        customer_name=Subquery(_names(entity, now)),
    ).order_by("-issued_on", "invoice_id")


def _names(entity: Entity, now: datetime) -> QuerySet[Customer, Any]:
    named = Customer.objects.filter(_counts_today(now), legal_entity=entity, customer_id=OuterRef("customer_id"))
    return named.values("name")[:1]


def search_invoices(found: QuerySet[Invoice], entity: Entity, text: str) -> QuerySet[Invoice]:
    """Those whose number, or whose customer's number or name, holds ``text``."""
    named = customer_ids_named(entity, text)
    return found.filter(
        Q(invoice_id__icontains=text) | Q(customer_id__icontains=text) | Q(customer_id__in=named)
    )  # fmt: skip
