"""The pages of the books: entities, what was loaded, and invoices with what is open on them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from app.conftest import NOW, Organisation, nothing_changes
from duecourse.app.access import SYSTEM, Role
from duecourse.app.accounts.models import User
from duecourse.app.books.actions import load_ledger
from duecourse.app.books.models import ROWS, BookLoad, Entity
from duecourse.app.books.queries import invoices_of
from duecourse.app.ui.format import day, money
from duecourse.ledger.balances import invoice_balances
from duecourse.ledger.write import write_ledger
from duecourse.science.simulate import load_world, simulate
from support.books import allocation, books, customer, invoice, payment

Browser = Callable[[User], Client]


def test_what_is_open_is_what_the_ledger_says(organisation: Organisation) -> None:
    ledger = simulate(load_world("base"), customers=25, months=6, seed=4).ledger
    load_ledger(actor=SYSTEM, now=NOW, entity=organisation.north, ledger=ledger, source="x")
    last = ledger.last_known()
    assert last is not None
    for today in (last, last - timedelta(days=60)):
        now = datetime(today.year, today.month, today.day, 23, tzinfo=UTC)
        view = ledger.as_of(today + timedelta(days=1))
        expected = dict(invoice_balances(view).select("invoice_id", "open_minor").iter_rows())
        found = dict(invoices_of(organisation.north, now=now).values_list("invoice_id", "open_minor"))
        assert {name: found[name] for name in expected} == expected
        assert 0 < sum(minor > 0 for minor in expected.values()) < len(expected)


def test_the_list_of_invoices_reads_and_narrows(organisation: Organisation, signed_in: Browser) -> None:
    ledger = books(
        customer("C1", name="Acme <b>AG</b>"), invoice("I1", 123_456), invoice("I2", 5_000, customer_id="C2"),
        payment("P1", 5_000, "2026-02-01", customer_id="C2"), allocation("I2", 5_000, "2026-02-01", source_id="P1"),
    )  # fmt: skip
    load_ledger(actor=SYSTEM, now=NOW, entity=organisation.north, ledger=ledger, source="x")
    client = signed_in(organisation.member(Role.FINANCE_VIEWER, organisation.north))
    address = reverse("books:invoices", args=["north"])

    def shown(**narrowing: str) -> str:
        return client.get(address, narrowing).content.decode()

    whole = shown()
    assert "Acme &lt;b&gt;AG&lt;/b&gt;" in whole
    assert "US$1,234.56" in whole
    assert "settled" in whole
    assert 'datetime="2026-01-31"' in whole
    assert re.findall(r'<td class="nowrap">(I\d)</td>', shown(q="acme")) == ["I1"]
    assert re.findall(r'<td class="nowrap">(I\d)</td>', shown(q="c2")) == ["I2"]
    assert "No invoice fits" in shown(q="nobody")
    assert "No invoice fits" in shown(due_from="2026-02-01")
    assert "Enter a valid date" in shown(due_from="31/31")


def test_the_newest_load_is_undone_by_a_button(organisation: Organisation, signed_in: Browser) -> None:
    load = load_ledger(actor=SYSTEM, now=NOW, entity=organisation.north, ledger=books(invoice()), source="export.csv")
    manager = signed_in(organisation.member(Role.CREDIT_MANAGER, organisation.north))
    viewer = signed_in(organisation.member(Role.FINANCE_VIEWER, organisation.north))
    address = reverse("books:entity", args=["north"])
    assert "1 invoices" in viewer.get(address).content.decode()
    assert "Undo<span" not in viewer.get(address).content.decode()
    assert "Undo<span" in manager.get(address).content.decode()
    shown = manager.post(reverse("books:undo", args=[load.pk]), follow=True).content.decode()
    assert "export.csv is out of the books again." in shown
    assert "Undo<span" not in shown
    assert "Only the newest load can be undone" in manager.post(
        reverse("books:undo", args=[load.pk]), follow=True
    ).content.decode()  # fmt: skip


def test_an_administrator_sees_no_money(organisation: Organisation, signed_in: Browser) -> None:
    load_ledger(actor=SYSTEM, now=NOW, entity=organisation.north, ledger=books(invoice()), source="export.csv")
    shown = signed_in(organisation.member(Role.ADMINISTRATOR, None)).get(reverse("books:entity", args=["north"]))
    assert b"export.csv" not in shown.content
    assert b"Invoices" not in shown.content


def test_an_entity_is_opened_and_renamed_once(organisation: Organisation, signed_in: Browser) -> None:
    client = signed_in(organisation.member(Role.ADMINISTRATOR, None))
    form = {"name": "East Ltd", "code": "East", "currency": "gbp", "timezone": "Europe/London"}
    assert client.post(reverse("books:open"), form).headers["Location"] == "/entities/east/"
    east = Entity.objects.get(code="east")
    assert (east.name, east.currency, east.timezone) == ("East Ltd", "GBP", "Europe/London")
    for wrong, said in [
        ({"code": "open"}, "is used by a page"), ({"timezone": "Mars"}, "no such time zone"),
        ({"currency": "XXX"}, "no such currency"), ({"name": "NORTH gmbh", "code": "x"}, "named NORTH gmbh already"),
    ]:  # fmt: skip
        with nothing_changes(Entity):
            assert said in client.post(reverse("books:open"), {**form, **wrong}).content.decode()
    client.post(reverse("books:entity", args=["east"]), {"name": "East PLC", "timezone": "Europe/London"})
    assert Entity.objects.get(code="east").name == "East PLC"


def test_the_command_loads_a_directory_or_says_what_is_wrong(organisation: Organisation, tmp_path: Path) -> None:
    write_ledger(books(invoice("I1"), customer()), tmp_path / "ledger")
    out = StringIO()
    call_command("load", "north", str(tmp_path / "ledger"), stdout=out)
    assert out.getvalue() == "loaded into North GmbH: 1 customers, 1 invoices\n"
    with nothing_changes(BookLoad, *ROWS.values()):
        for entity, ledger, said in [
            ("west", "ledger", "expected one of: north, south"), ("north", "ledger", "says already"),
            ("north", "nothing", "nothing"),
        ]:  # fmt: skip
            with pytest.raises(CommandError, match=said):
                call_command("load", entity, str(tmp_path / ledger), stdout=StringIO())


def test_figures_read_as_people_write_them() -> None:
    today = date(2026, 11, 22)
    assert [money(1_234_567, code) for code in ("EUR", "JPY", "KWD")] == ["€12,345.67", "JP¥1,234,567", "KWD1,234.567"]
    near = {-15: "7 Nov 2026", -14: "14 days ago", -1: "yesterday", 0: "today", 1: "tomorrow", 3: "in 3 days"}
    for apart, words in near.items():
        found = day(today + timedelta(days=apart), today)
        assert f">{words}</time>" in found
        assert (today + timedelta(days=apart)).isoformat() in found
