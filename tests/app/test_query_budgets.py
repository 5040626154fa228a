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
from duecourse.app.books.actions import load_ledger
from duecourse.app.imports.actions import start_import
from support.books import books, customer, invoice

BUDGET = 12
PAGES = ("ui:home", "accounts:members", "accounts:invite", "audit:events", "books:entities", "books:open", "jobs:jobs")
BOOK_PAGES = ("books:entity", "books:invoices", "imports:imports", "imports:new", "scores:predictions")


def queries(client: Client, page: str, **holding: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(reverse(page, kwargs=holding)).status_code == 200
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


@pytest.mark.parametrize("page", BOOK_PAGES)
def test_a_page_of_the_books_stays_within_its_budget_however_much_there_is(
    organisation: Organisation, signed_in: Callable[[User], Client], page: str
) -> None:
    client = signed_in(organisation.member(Role.CREDIT_MANAGER, organisation.north))
    client.get("/")
    north = organisation.north
    load_ledger(actor=SYSTEM, now=NOW, entity=north, ledger=books(invoice("I1"), customer()), source="one")
    start_import(actor=SYSTEM, now=NOW, entity=north, folder="f", files=["a.csv"], answers={})
    holding = {"code": "north"} if page.startswith(("books:", "scores:")) else {}
    few = queries(client, page, **holding)
    many = books(*(invoice(f"N{number}", customer_id=f"C{number}") for number in range(70)))
    load_ledger(actor=SYSTEM, now=NOW, entity=north, ledger=many, source="many")
    for number in range(5):
        start_import(actor=SYSTEM, now=NOW, entity=north, folder=f"f{number}", files=["a.csv"], answers={})
    assert queries(client, page, **holding) == few <= BUDGET
