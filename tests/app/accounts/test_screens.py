"""Signing in and out, the limits of a session, joining by a link, and the screens about people."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client, override_settings
from django.urls import reverse

from app.conftest import NOW, PASSWORD, Organisation, nothing_changes
from duecourse.app.access import SYSTEM, Role
from duecourse.app.accounts.actions import grant_role, invite_member
from duecourse.app.accounts.models import Invitation, Membership, User

Browser = Callable[[User], Client]


def sign_in(email: str, password: str = PASSWORD) -> Client:
    client = Client()
    client.post(reverse("account_login"), {"login": email, "password": password})
    return client


def test_a_member_signs_in_by_address_and_password(organisation: Organisation) -> None:
    member = organisation.member(Role.COLLECTOR, organisation.north)
    assert sign_in(member.email.upper()).get("/").status_code == 200
    assert sign_in(member.email, "another password").get("/").status_code == 302


def test_a_wrong_password_and_an_unknown_address_read_the_same(organisation: Organisation) -> None:
    member = organisation.member(Role.COLLECTOR, organisation.north)
    answers = [
        Client().post(reverse("account_login"), {"login": email, "password": "not this one"}).content.decode()
        for email in (member.email, "nobody@example.com")
    ]
    errors = [re.findall(r'role="alert">(.*?)</p>', answer) for answer in answers]
    assert errors[0] == errors[1] != []


def test_guessing_passwords_ends_soon(organisation: Organisation) -> None:
    member = organisation.member(Role.COLLECTOR, organisation.north)
    for _ in range(5):
        sign_in(member.email, "guess")
    assert sign_in(member.email).get("/").status_code == 302


def test_nobody_signs_up_uninvited(db: None) -> None:
    client = Client()
    form = {"email": "eve@example.com", "password1": PASSWORD}
    assert b"By invitation only" in client.post(reverse("account_signup"), form).content
    assert not User.objects.exists()


def test_a_session_ends_when_idle_and_after_twelve_hours(organisation: Organisation, signed_in: Browser) -> None:
    member = organisation.member(Role.COLLECTOR, organisation.north)
    for mark, age in (("seen", timedelta(minutes=31)), ("began", timedelta(hours=12, minutes=1))):
        client = signed_in(member)
        assert client.get("/").status_code == 200
        session = client.session
        session[mark] -= age.total_seconds()
        session.save()
        assert client.get("/").status_code == 302
        assert client.get("/").status_code == 302


def test_a_page_view_writes_no_session_within_a_minute(organisation: Organisation, signed_in: Browser) -> None:
    client = signed_in(organisation.member(Role.COLLECTOR, organisation.north))
    client.get("/")
    before = client.session["seen"]
    client.get("/")
    assert client.session["seen"] == before


def test_a_revoked_role_and_a_deactivation_bite_on_the_next_click(
    organisation: Organisation, signed_in: Browser
) -> None:
    member = organisation.member(Role.CREDIT_MANAGER, organisation.north)
    client = signed_in(member)
    assert client.get(reverse("accounts:members")).status_code == 200
    Membership.objects.filter(user=member).delete()
    assert client.get(reverse("accounts:members")).status_code == 403
    User.objects.filter(pk=member.pk).update(is_active=False)
    assert client.get("/").status_code == 302


@override_settings(SECOND_FACTOR_REQUIRED=True)
def test_who_decides_needs_a_second_factor(organisation: Organisation, signed_in: Browser) -> None:
    manager = organisation.member(Role.CREDIT_MANAGER, organisation.north)
    client = signed_in(manager)
    assert client.get("/").headers["Location"] == reverse("mfa_activate_totp")
    Authenticator.objects.create(user=manager, type=Authenticator.Type.TOTP, data={"secret": "x"})
    assert client.get("/").status_code == 200
    collector = organisation.member(Role.COLLECTOR, organisation.north)
    assert signed_in(collector).get("/").status_code == 200


def test_inviting_shows_the_link_once_and_the_link_lets_in(organisation: Organisation, signed_in: Browser) -> None:
    client = signed_in(organisation.member(Role.ADMINISTRATOR, None))
    form = {"email": "jon@example.com", "role": "collector", "entity": str(organisation.north.pk)}
    shown = client.post(reverse("accounts:invite"), form, follow=True).content.decode()
    link = re.search(r"<code>http://127\.0\.0\.1:8000(/join/[^<]+)</code>", shown)
    assert link is not None
    assert "Hand this link to jon@example.com yourself" in shown
    assert mail.outbox == []
    assert "<code>" not in client.get(reverse("accounts:members")).content.decode()
    visitor = Client()
    assert b"You join as collector for North GmbH" in visitor.get(link[1]).content
    assert visitor.post(link[1], {"name": "Jon", "password": PASSWORD}).status_code == 302
    assert b"Jon" in visitor.get("/").content
    assert b"127.0.0.1" in visitor.get(reverse("usersessions_list")).content
    assert visitor.get(link[1]).status_code == 410


@override_settings(MAIL_IS_DELIVERED=True)
def test_with_a_mail_server_the_invitation_is_sent(organisation: Organisation, signed_in: Browser) -> None:
    client = signed_in(organisation.member(Role.ADMINISTRATOR, None))
    form = {"email": "jon@example.com", "role": "collector", "entity": "all"}
    shown = client.post(reverse("accounts:invite"), form, follow=True).content.decode()
    assert "The invitation was sent to jon@example.com" in shown
    [message] = mail.outbox
    assert message.to == ["jon@example.com"]
    link = re.search(r"http://127\.0\.0\.1:8000(/join/\S+)", message.body)
    assert link is not None
    assert Client().get(link[1]).status_code == 200


def test_the_link_of_a_forgotten_password_leads_to_our_address_whatever_the_visitor_sent(
    organisation: Organisation,
) -> None:
    member = organisation.member(Role.COLLECTOR, organisation.north)
    Client().post(reverse("account_reset_password"), {"email": member.email}, headers={"host": "localhost:666"})
    [message] = mail.outbox
    link = re.search(r"(http://\S+)(/account/password/reset/key/\S+)", message.body)
    assert link is not None
    assert link[1] == "http://127.0.0.1:8000"
    assert b"Change Password" in Client().get(link[2], follow=True).content


def test_nobody_takes_another_address_by_oneself(organisation: Organisation, signed_in: Browser) -> None:
    member = organisation.member(Role.COLLECTOR, organisation.north)
    client = sign_in(member.email)
    page = reverse("account_email")
    with nothing_changes(User, EmailAddress):
        for act, email in [("add", "chief@example.com"), ("remove", member.email)]:
            client.post(page, {f"action_{act}": "", "email": email})
    assert "the one that you were invited by" in client.post(
        page, {"action_add": "", "email": "chief@example.com"}
    ).content.decode()  # fmt: skip


def test_behind_a_proxy_one_guesser_does_not_shut_everybody_out(organisation: Organisation, settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    member, page = organisation.member(Role.COLLECTOR, organisation.north), reverse("account_login")
    for number in range(12):
        guess = {"login": f"guess{number}@example.com", "password": "guess"}
        Client().post(page, guess, headers={"x-forwarded-for": f"10.9.8.{number}, 203.0.113.7"})
    form = {"login": member.email, "password": PASSWORD}
    assert Client().post(page, form, headers={"x-forwarded-for": "203.0.113.7"}).status_code != 302
    assert Client().post(page, form, headers={"x-forwarded-for": "203.0.113.8"}).status_code == 302


def test_a_choice_that_was_not_offered_is_refused(organisation: Organisation, signed_in: Browser) -> None:
    client = signed_in(organisation.member(Role.ADMINISTRATOR, organisation.north))
    for entity in (str(organisation.south.pk), "all", "x"):
        form = {"email": "jon@example.com", "role": "collector", "entity": entity}
        assert b"is not one of the available choices" in client.post(reverse("accounts:invite"), form).content
    assert not Invitation.objects.filter(email="jon@example.com").exists()


def test_a_hostile_name_is_text(organisation: Organisation, signed_in: Browser) -> None:
    member = organisation.member(Role.COLLECTOR, organisation.north)
    User.objects.filter(pk=member.pk).update(name="<script>alert(1)</script>")
    client = signed_in(organisation.member(Role.ADMINISTRATOR, None))
    for address in (reverse("accounts:members"), reverse("accounts:member", args=[member.pk]), reverse("audit:events")):
        shown = client.get(address).content.decode()
        assert "<script>alert" not in shown
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


def test_members_of_another_entity_are_not_listed(organisation: Organisation, signed_in: Browser) -> None:
    here = organisation.member(Role.COLLECTOR, organisation.north)
    there = organisation.member(Role.COLLECTOR, organisation.south)
    shown = signed_in(organisation.member(Role.CREDIT_MANAGER, organisation.north)).get(reverse("accounts:members"))
    assert here.email in shown.content.decode()
    assert there.email not in shown.content.decode()


def test_buttons_stand_only_where_the_person_may_press_them(organisation: Organisation, signed_in: Browser) -> None:
    person = organisation.member(Role.ADMINISTRATOR, organisation.north)
    manages = {"actor": SYSTEM, "now": NOW, "member": person, "role": Role.CREDIT_MANAGER}
    grant_role(**manages, entity_id=organisation.south.pk)
    client = signed_in(person)
    for entity, count in [(organisation.north, 1), (organisation.south, 0)]:
        member = organisation.member(Role.COLLECTOR, entity)
        shown = client.get(reverse("accounts:member", args=[member.pk])).content.decode()
        assert (shown.count("collector <span"), shown.count("/revoke/")) == (1, count)
        waiting = f"waiting-{entity.code}@example.com"
        invite_member(actor=SYSTEM, now=NOW, email=waiting, role=Role.COLLECTOR, entity_id=entity.pk)
        listed = client.get(reverse("accounts:members")).content.decode()
        assert waiting in listed
        assert listed.count("/withdraw/") == 1


@pytest.mark.parametrize("address", ["account_change_password", "mfa_index", "usersessions_list"])
def test_pages_of_the_library_wear_our_frame(organisation: Organisation, signed_in: Browser, address: str) -> None:
    member = organisation.member(Role.COLLECTOR, organisation.north)
    client = sign_in(member.email)
    shown = client.get(reverse(address))
    assert shown.status_code == 200
    assert 'class="side"' in shown.content.decode()


def test_a_second_factor_is_set_up_after_the_password_was_given_again(organisation: Organisation) -> None:
    client = sign_in(organisation.member(Role.COLLECTOR, organisation.north).email)
    asked = client.get(reverse("mfa_activate_totp"), follow=True)
    again = client.post(asked.redirect_chain[-1][0], {"password": PASSWORD}, follow=True).content.decode()
    assert "Activate Authenticator App" in again
    assert 'src="data:image/svg+xml' in again
