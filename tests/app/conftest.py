"""A small organisation with two legal entities, and people in every role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from duecourse.app.access import SYSTEM, Actor, Role
from duecourse.app.accounts.actions import accept_invitation, invite_member
from duecourse.app.accounts.models import User
from duecourse.app.accounts.queries import actor_of
from duecourse.app.audit.models import AuditEvent
from duecourse.app.books.actions import open_entity
from duecourse.app.books.models import Entity

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
PASSWORD = "a calm morning list"
VISITOR = Actor(0, "somebody")


@pytest.fixture(autouse=True, scope="session")
def nothing_is_left() -> Iterator[None]:
    """No test writes into the data directory of the settings; one that needs files names a directory of its own."""
    yield
    assert not Path(settings.DATA_DIR).exists()


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    """Limits of signing in are counted in the cache; no test inherits another's count."""
    cache.clear()


@dataclass
class Organisation:
    """Two entities, and members made on demand."""

    north: Entity
    south: Entity

    def member(self, role: Role, entity: Entity | None, email: str = "") -> User:
        """A person with that role, who joined by an invitation."""
        email = email or f"{role}-{entity.code if entity else 'all'}@example.com"
        entity_id = entity.pk if entity else None
        _, secret = invite_member(actor=SYSTEM, now=NOW, email=email, role=role, entity_id=entity_id)
        name = email.partition("@")[0].replace("_", " ").title()
        return accept_invitation(actor=VISITOR, now=NOW, secret=secret, name=name, password=PASSWORD)

    def actor(self, role: Role, entity: Entity | None) -> Actor:
        """The same person as an actor."""
        return actor_of(self.member(role, entity))


@pytest.fixture
def organisation(db: None) -> Organisation:
    """North in euro and South in yen."""
    opened = [
        open_entity(actor=SYSTEM, now=NOW, code=code, name=name, timezone=zone, currency=currency)
        for code, name, zone, currency in [
            ("north", "North GmbH", "Europe/Berlin", "EUR"),
            ("south", "South KK", "Asia/Tokyo", "JPY"),
        ]
    ]
    return Organisation(*opened)


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """A browser in which that person is signed in."""

    def make(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return make


@contextmanager
def exactly_one_event(code: str) -> Iterator[list[AuditEvent]]:
    """The block writes one audit event, with that code; it stands in the list afterwards."""
    before = AuditEvent.objects.count()
    found: list[AuditEvent] = []
    yield found
    found += AuditEvent.objects.order_by("-pk")[: AuditEvent.objects.count() - before]
    assert [event.code for event in found] == [code]


@contextmanager
def nothing_changes(*models: Any) -> Iterator[None]:
    """The block changes no row of these tables and writes no audit event."""
    tables = (*models, AuditEvent)
    before = [sorted(map(repr, table.objects.values_list())) for table in tables]
    yield
    assert [sorted(map(repr, table.objects.values_list())) for table in tables] == before
