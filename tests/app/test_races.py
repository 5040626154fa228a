"""Two at once: one wins, the other is told so in words, and nothing is done twice.

PostgreSQL only, which locks row by row; SQLite lets one writer in at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from app.conftest import NOW, PASSWORD, VISITOR, Organisation
from duecourse.app.access import SYSTEM, Refused, Role
from duecourse.app.accounts import actions
from duecourse.app.accounts.models import Membership, User
from duecourse.app.audit.models import AuditEvent
from duecourse.app.audit.queries import chain_breaks
from duecourse.app.books.actions import load_ledger
from duecourse.app.books.models import ROWS
from duecourse.app.imports import actions as imports
from duecourse.app.imports.models import Import, Stage
from duecourse.app.jobs.models import Job, State
from support.books import books, invoice

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not os.environ.get("DUECOURSE_TEST_DATABASE_URL", "").startswith("postgres"), reason="needs PostgreSQL"
    ),
]
Act = Callable[[], Any]


@pytest.fixture
def organisation(transactional_db: None, organisation: Organisation) -> Organisation:
    """The same organisation, written for good, so that other connections see it."""
    return organisation


def at_once(*acts: Act) -> list[str]:
    """Do all at the same moment, each on its own connection; gives what was refused. Any other error is raised."""
    gate = Barrier(len(acts))

    def one(act: Act) -> str:
        try:
            connection.ensure_connection()
            gate.wait(timeout=10)
            act()
        except Refused as error:
            return str(error)
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(len(acts)) as pool:
        return [said for said in pool.map(one, acts) if said]


def test_an_invitation_lets_one_in(organisation: Organisation) -> None:
    _, secret = actions.invite_member(actor=SYSTEM, now=NOW, email="i@e.com", role=Role.COLLECTOR, entity_id=None)

    def join() -> None:
        actions.accept_invitation(actor=VISITOR, now=NOW, secret=secret, name="Ida", password=PASSWORD)

    assert at_once(join, join) == ["This invitation is no longer open. Ask the person who invited you for a new one."]
    assert User.objects.count() == Membership.objects.count() == 1


def test_a_role_is_granted_once(organisation: Organisation) -> None:
    member = organisation.member(Role.COLLECTOR, None)

    def grant() -> None:
        actions.grant_role(actor=SYSTEM, now=NOW, member=member, role=Role.FINANCE_VIEWER, entity_id=None)

    assert at_once(grant, grant) == [f"{member.name} holds this role already."]
    assert AuditEvent.objects.filter(code="accounts.role_granted").count() == 1


def test_two_administrators_do_not_leave_together(organisation: Organisation) -> None:
    members = [organisation.member(Role.ADMINISTRATOR, None, f"{name}@example.com") for name in ("ida", "jon")]
    [said] = at_once(
        lambda: actions.deactivate_member(actor=SYSTEM, now=NOW, member=members[0]),
        lambda: actions.revoke_role(actor=SYSTEM, now=NOW, membership=members[1].memberships.get()),
    )
    assert "last administrator" in said


def test_one_export_is_loaded_once(organisation: Organisation) -> None:
    def load() -> None:
        load_ledger(actor=SYSTEM, now=NOW, entity=organisation.north, ledger=books(invoice("I1")), source="a.csv")

    assert at_once(load, load) == ["The books of North GmbH hold everything that a.csv says already."]
    assert ROWS["invoices"].objects.count() == 1


def test_a_double_click_asks_for_one_load(organisation: Organisation) -> None:
    one = Import.objects.create(
        entity=organisation.north, asked_at=NOW, folder="f", files=["a.csv"], answers={}, stage=Stage.READY
    )

    def press() -> None:
        imports.ask_to_load(actor=SYSTEM, now=NOW, one=one)

    assert at_once(press, press) == ["This import is loading now; look at the page again."]
    assert Job.objects.filter(kind="imports.load", state=State.WAITING).count() == 1


def test_many_writers_leave_one_unbroken_chain(organisation: Organisation) -> None:
    members = [organisation.member(Role.COLLECTOR, None, f"person{number}@example.com") for number in range(4)]

    def grant(member: User) -> Act:
        return lambda: actions.grant_role(
            actor=SYSTEM, now=NOW, member=member, role=Role.FINANCE_VIEWER, entity_id=organisation.north.pk
        )

    assert at_once(*(grant(member) for member in members)) == []
    assert list(chain_breaks()) == []
    assert AuditEvent.objects.filter(code="accounts.role_granted").count() == 4
