"""Writing an audit event: the one thing that every action of every feature does exactly once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import connection

from duecourse.app.access import Actor
from duecourse.app.audit.chain import START, Fact, Link
from duecourse.app.audit.codes import known
from duecourse.app.audit.models import AuditEvent, ChainHead

ORGANISATION = "organisation"


def record(
    *,
    actor: Actor,
    now: datetime,
    code: str,
    subject: tuple[str, object],
    entity_id: int | None = None,
    **facts: Fact,
) -> AuditEvent:
    """Append what ``actor`` did to the chain of that entity (without one, of the organisation); gives the event.

    ``subject`` is the kind and the id of what was acted on. Must be called inside the transaction of the act itself;
    ``code`` and the names of ``facts`` must be declared in the feature's ``events.EVENTS``.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{code}: an audit event is written in the transaction of its act")
    known(code).check(facts)
    kind, subject_id = subject
    chain = ORGANISATION if entity_id is None else f"entity-{entity_id}"
    head = _locked_head(chain)
    link = Link(
        chain, head.seq + 1, now, code, actor.user_id, entity_id, kind, str(subject_id), _plain(facts), head.hash
    )  # fmt: skip
    event = AuditEvent.objects.create(
        chain=chain, seq=link.seq, at=now, code=code, actor_id=link.actor_id, entity_id=entity_id, subject_kind=kind,
        subject_id=link.subject_id, facts=dict(link.facts), previous_hash=head.hash, hash=link.hash(),
    )  # fmt: skip
    head.seq, head.hash = link.seq, event.hash
    head.save(update_fields=["seq", "hash"])
    return event


def _locked_head(chain: str) -> ChainHead:
    ChainHead.objects.bulk_create([ChainHead(chain=chain, seq=0, hash=START)], ignore_conflicts=True)
    return ChainHead.objects.select_for_update().get(chain=chain)


def _plain(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """Enumerations as their plain text, so that the stored JSON reads back equal to what was hashed."""
    return {name: str(value) if isinstance(value, str) else value for name, value in facts.items()}
