"""No page asks the database more than twelve times, however many rows there are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from app.conftest import NOW, Organisation
from duecourse.app.access import SYSTEM, Role
from duecourse.app.accounts.actions import invite_member
from duecourse.app.accounts.models import User

BUDGET = 12
PAGES = ("ui:home", "accounts:members", "accounts:invite", "audit:events", "books:entities", "books:open")


def queries(client: Client, page: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(reverse(page)).status_code == 200
    return len(captured)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_stays_within_its_budget_however_much_there_is(
    organisation: Organisation, signed_in: Callable[[User], Client], page: str
) -> None:
    client = signed_in(organisation.member(Role.ADMINISTRATOR, None, "chief@example.com"))
    client.get("/")  # the first click after signing in marks the session
    organisation.member(Role.COLLECTOR, organisation.north)
    invite_member(actor=SYSTEM, now=NOW, email="a@example.com", role=Role.COLLECTOR, entity_id=organisation.north.pk)
    few = queries(client, page)
    for number in range(6):
        organisation.member(Role.COLLECTOR, organisation.south, f"person{number}@example.com")
        invite_member(actor=SYSTEM, now=NOW, email=f"w{number}@example.com", role=Role.COLLECTOR, entity_id=None)
    assert queries(client, page) == few <= BUDGET
