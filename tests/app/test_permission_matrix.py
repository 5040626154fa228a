"""Every route x every role x own and foreign entity, walked from the URL table: a new route cannot be forgotten.

A visitor is led to signing in; a role without the permission gets 403; an object of a foreign entity is 404 for
everybody who may not see it; and no request without the right changes anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from app.conftest import NOW, Organisation, nothing_changes
from duecourse.app.access import MAY, SYSTEM, Permission, Role
from duecourse.app.accounts.actions import invite_member
from duecourse.app.accounts.models import Invitation, Membership, User
from duecourse.app.books.actions import load_ledger
from duecourse.app.books.models import ROWS, BookLoad, Entity
from duecourse.app.imports.actions import start_import
from duecourse.app.imports.models import Import
from duecourse.app.jobs.actions import ask_for_job
from duecourse.app.jobs.models import Job
from duecourse.app.ui import needs
from duecourse.app.ui.needs import ANYBODY, MEMBER
from support.books import books, invoice


@dataclass(frozen=True)
class Objects:
    """One object of each kind that a route names, all of one entity."""

    entity: Entity
    member: User
    membership: Membership
    invitation: Invitation
    load: BookLoad
    job: Job
    upload: Import


Example = Callable[[Objects], dict[str, Any]]
# route -> what its address holds. A route whose address holds something must stand here.
EXAMPLES: dict[str, Example] = {
    "accounts:member": lambda one: {"pk": one.member.pk},
    "accounts:deactivate": lambda one: {"pk": one.member.pk},
    "accounts:reactivate": lambda one: {"pk": one.member.pk},
    "accounts:revoke": lambda one: {"pk": one.membership.pk},
    "accounts:withdraw": lambda one: {"pk": one.invitation.pk},
    "jobs:job": lambda one: {"pk": one.job.pk},
    "jobs:cancel": lambda one: {"pk": one.job.pk},
    "jobs:retry": lambda one: {"pk": one.job.pk},
    "imports:show": lambda one: {"pk": one.upload.pk},
    "imports:load": lambda one: {"pk": one.upload.pk},
    "imports:discard": lambda one: {"pk": one.upload.pk},
    "books:entity": lambda one: {"code": one.entity.code},
    "books:invoices": lambda one: {"code": one.entity.code},
    "scores:predictions": lambda one: {"code": one.entity.code},
    "scores:again": lambda one: {"code": one.entity.code},
    "books:undo": lambda one: {"pk": one.load.pk},
}
# Routes that a secret opens: no role matters, so the matrix has nothing to ask.
BY_SECRET = {"accounts:join"}
# Pages for what belongs to the whole organisation: a role for one entity is not enough.
WHOLE_ORGANISATION = {"books:open"}
TABLES = (User, Membership, Invitation, Entity, BookLoad, Job, Import, ROWS["invoices"])


def own_routes() -> dict[str, Any]:
    """Name -> view of each route that is ours."""
    return {f"{entry.callback.__module__.split('.')[2]}:{entry.name}": entry for _, entry in needs.own_routes()}


def objects_of(organisation: Organisation, entity: Entity) -> Objects:
    member = organisation.member(Role.FINANCE_VIEWER, entity, f"object-{entity.code}@example.com")
    invitation, _ = invite_member(
        actor=SYSTEM, now=NOW, email=f"waiting-{entity.code}@example.com", role=Role.COLLECTOR, entity_id=entity.pk
    )
    load = load_ledger(actor=SYSTEM, now=NOW, entity=entity, ledger=books(invoice("I1")), source="export.csv")
    job = ask_for_job(
        actor=SYSTEM, now=NOW, kind="audit.export_heads", key=entity.code, arguments={}, entity_id=entity.pk
    )
    upload = start_import(
        actor=SYSTEM, now=NOW, entity=entity, folder=f"folder-{entity.code}", files=["a.csv"], answers={}
    )
    return Objects(entity, member, member.memberships.get(), invitation, load, job, upload)


def ask(client: Client, name: str, one: Objects, method: str) -> int:
    address = reverse(name, kwargs=EXAMPLES[name](one) if name in EXAMPLES else {})
    return int(getattr(client, method)(address).status_code)


def test_every_route_with_an_object_has_an_example() -> None:
    holding = {name for name, entry in own_routes().items() if entry.pattern.converters}
    assert holding == set(EXAMPLES) | BY_SECRET


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_visitor_is_led_to_signing_in(organisation: Organisation, method: str) -> None:
    one = objects_of(organisation, organisation.north)
    with nothing_changes(*TABLES):
        for name, entry in own_routes().items():
            if entry.callback.needs == ANYBODY:
                continue
            assert ask(Client(), name, one, method) == 302, name


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize("method", ["get", "post"])
def test_foreign_objects_are_not_there_and_missing_rights_are_refused(
    organisation: Organisation, signed_in: Callable[[User], Client], role: Role | None, method: str
) -> None:
    foreign, own = objects_of(organisation, organisation.south), objects_of(organisation, organisation.north)
    person = organisation.member(role or Role.COLLECTOR, organisation.north, "asking@example.com")
    if role is None:
        person.memberships.all().delete()
    client, held = signed_in(person), MAY[role] if role else frozenset[Permission]()
    with nothing_changes(*TABLES):
        for name, entry in own_routes().items():
            needed = entry.callback.needs
            if needed in (ANYBODY, MEMBER):
                continue
            status = ask(client, name, foreign, method)
            if needed not in held or name in WHOLE_ORGANISATION:
                assert status == 403, (name, status)
                assert ask(client, name, own, method) == 403, name
            elif name in EXAMPLES:
                if status == 405:  # the route knows one method only: that one must not find it either
                    status = ask(client, name, foreign, "post" if method == "get" else "get")
                assert status == 404, (name, status)
            else:
                assert status in (200, 405), (name, status)


@pytest.mark.parametrize("role", list(Role))
def test_own_pages_open(organisation: Organisation, signed_in: Callable[[User], Client], role: Role) -> None:
    own = objects_of(organisation, organisation.north)
    client = signed_in(organisation.member(role, None, "asking@example.com"))
    for name, entry in own_routes().items():
        needed = entry.callback.needs
        if (needed in (ANYBODY, MEMBER) or needed in MAY[role]) and name not in BY_SECRET:
            assert ask(client, name, own, "get") in (200, 405), name


def test_most_routes_were_asked() -> None:
    assert len(own_routes()) >= 14
    assert {entry.callback.needs for entry in own_routes().values()} >= {ANYBODY, MEMBER, Permission.SEE_AUDIT}
