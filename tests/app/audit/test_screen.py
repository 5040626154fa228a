"""The audit reads as sentences, shows what one may see, and narrows by who, what, where and when."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from app.conftest import NOW, Organisation
from duecourse.app.access import Role
from duecourse.app.accounts.actions import grant_role
from duecourse.app.accounts.models import User
from duecourse.app.accounts.queries import actor_of

Browser = Callable[[User], Client]


def shown(client: Client, **narrowing: object) -> str:
    return client.get(reverse("audit:events"), narrowing).content.decode()


def test_it_says_who_did_what_for_whom(organisation: Organisation, signed_in: Browser) -> None:
    chief = organisation.member(Role.ADMINISTRATOR, None, "chief@example.com")
    ida = organisation.member(Role.COLLECTOR, organisation.north, "ida@example.com")
    grant_role(
        actor=actor_of(chief), now=NOW, member=ida, role=Role.CREDIT_MANAGER, entity_id=organisation.north.pk
    )  # fmt: skip
    page = shown(signed_in(chief))
    assert "made Ida credit manager" in page
    assert "joined as collector by the invitation of ida@example.com" in page
    assert "opened the books of South KK in JPY" in page
    assert page.index("made Ida credit manager") < page.index("opened the books of South KK")


def test_the_audit_of_another_entity_and_of_the_organisation_is_not_shown(
    organisation: Organisation, signed_in: Browser
) -> None:
    organisation.member(Role.COLLECTOR, None, "whole@example.com")
    page = shown(signed_in(organisation.member(Role.CREDIT_MANAGER, organisation.north)))
    assert "opened the books of North GmbH" in page
    assert "South KK" not in page
    assert "whole@example.com" not in page
    assert "Where the chains end" not in page


def test_it_narrows(organisation: Organisation, signed_in: Browser) -> None:
    chief = organisation.member(Role.ADMINISTRATOR, None, "chief@example.com")
    ida = organisation.member(Role.COLLECTOR, organisation.north, "ida@example.com")
    client = signed_in(chief)
    only = shown(client, what="books.entity_opened", entity=str(organisation.north.pk))
    assert "opened the books of North GmbH" in only
    assert "opened the books of South KK" not in only
    assert "ida@example.com</td>" not in only
    by_ida = shown(client, who=str(ida.pk))
    assert "joined as collector" in by_ida
    assert "opened the books of" not in by_ida
    assert "Nothing like that was done" in shown(client, since="2026-11-23")
    assert "opened the books of North GmbH" in shown(client, since="2026-11-22", until="2026-11-22")
    assert "Nothing like that was done" in shown(client, until="2026-11-21")


def test_a_wrong_filter_is_said_and_shows_nothing_foreign(organisation: Organisation, signed_in: Browser) -> None:
    client = signed_in(organisation.member(Role.CREDIT_MANAGER, organisation.north))
    page = shown(client, entity=str(organisation.south.pk), since="31/31")
    assert "is not one of the available choices" in page
    assert "Enter a valid date" in page
    assert "South KK" not in page
    assert client.get(reverse("audit:events"), {"page": "x"}).status_code == 200
