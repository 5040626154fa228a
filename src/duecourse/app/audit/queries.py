"""Reading the audit: events that a person may see, their sentences, the heads of the chains, and their soundness."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from duecourse.app.access import Actor, Permission
from duecourse.app.accounts.queries import member_labels
from duecourse.app.audit.chain import Head, Link, breaks
from duecourse.app.audit.codes import all_codes, subject_labels
from duecourse.app.audit.models import AuditEvent, ChainHead
from duecourse.app.books.queries import entity_labels


@dataclass(frozen=True, slots=True)
class ReadEvent:
    """An event in words: who did what, for which entity."""

    event: AuditEvent
    who: str
    what: str
    entity: str


def visible_events(actor: Actor) -> QuerySet[AuditEvent]:
    """Events of the entities whose audit ``actor`` may see, newest first; those of the organisation need all."""
    entities = actor.entities(Permission.SEE_AUDIT)
    scope = Q() if entities is None else Q(entity_id__in=entities)
    return AuditEvent.objects.filter(scope).order_by("-at", "-id")


def in_words(events: Iterable[AuditEvent]) -> list[ReadEvent]:
    """The events with names instead of ids; one query for each kind of thing that is named."""
    events = list(events)
    ids: dict[str, set[str]] = defaultdict(set)
    for event in events:
        ids[event.subject_kind].add(event.subject_id)
    names = {kind: subject_labels()[kind](wanted) for kind, wanted in ids.items() if kind in subject_labels()}
    people = member_labels({str(event.actor_id) for event in events if event.actor_id is not None})
    entities = entity_labels({str(event.entity_id) for event in events if event.entity_id is not None})
    return [
        ReadEvent(
            event,
            people.get(str(event.actor_id), f"person {event.actor_id}") if event.actor_id else "duecourse",
            _sentence(event, names.get(event.subject_kind, {}).get(event.subject_id)),
            entities.get(str(event.entity_id), ""),
        )
        for event in events
    ]


def _sentence(event: AuditEvent, name: str | None) -> str:
    subject = name or f"{event.subject_kind} {event.subject_id}"
    wording = all_codes().get(event.code)
    return wording.read(subject, event.facts) if wording else f"{event.code}: {subject}"


def chain_heads() -> list[Head]:
    """Where each chain ends now, for export to a place outside the database."""
    return [Head(one.chain, one.seq, one.hash) for one in ChainHead.objects.order_by("chain")]


def chain_breaks(anchors: Iterable[Head] = ()) -> Iterator[str]:
    """Every place where a chain does not hold, read through once in constant memory."""
    rows = AuditEvent.objects.order_by("chain", "seq").iterator(chunk_size=5000)
    links = (
        (
            Link(
                row.chain, row.seq, row.at, row.code, row.actor_id, row.entity_id, row.subject_kind, row.subject_id,
                row.facts, row.previous_hash,
            ),
            row.hash,
        )
        for row in rows
    )  # fmt: skip
    return breaks(links, chain_heads(), anchors)


def count_events() -> int:
    """How many events all chains hold."""
    return AuditEvent.objects.count()
