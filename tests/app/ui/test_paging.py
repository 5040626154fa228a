"""Long tables come page by page, whatever an address asks for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from app.conftest import NOW, Organisation
from duecourse.app.access import SYSTEM, Role
from duecourse.app.accounts.models import User
from duecourse.app.books.actions import load_ledger
from support.books import books, invoice

NUMBERS = [f"N{number:02}" for number in range(60)]


@pytest.mark.parametrize(
    ("asked", "first", "count"),
    [
        ("", "N00", 50), ("per_page=60", "N00", 50), ("per_page=-5", "N00", 50), ("per_page=0", "N00", 50),
        ("page=2", "N50", 10), ("page=99", "N50", 10), ("page=x", "N00", 50), ("page=-1", "N50", 10),
        ("sort=-invoice_id", "N59", 50), ("sort=-invoice_id&page=2", "N09", 10), ("sort=nothing", "N00", 50),
    ],
)  # fmt: skip
def test_a_page_holds_fifty_rows(
    organisation: Organisation, signed_in: Callable[[User], Client], asked: str, first: str, count: int
) -> None:
    ledger = books(*(invoice(number) for number in NUMBERS))
    load_ledger(actor=SYSTEM, now=NOW, entity=organisation.north, ledger=ledger, source="x")
    client = signed_in(organisation.member(Role.FINANCE_VIEWER, organisation.north))
    shown = client.get(f"{reverse('books:invoices', args=['north'])}?{asked}").content.decode()
    found = [number for number in NUMBERS if f">{number}</td>" in shown]
    assert len(found) == count
    assert min(found, key=lambda number: shown.index(f">{number}</td>")) == first
