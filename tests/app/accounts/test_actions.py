"""Inviting, joining, granting, taking away, shutting out: each once, each by whom it may, each in the audit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress

from app.conftest import NOW, PASSWORD, VISITOR, Organisation, exactly_one_event, nothing_changes
from duecourse.app.access import SYSTEM, Actor, Grant, NotAllowed, Refused, Role
from duecourse.app.accounts import actions
from duecourse.app.accounts.models import Invitation, Membership, User
from duecourse.app.accounts.queries import actor_of, invitation_by_secret


def test_an_invitation_lets_in_once_with_its_role(organisation: Organisation) -> None:
    north = organisation.north
    with exactly_one_event("accounts.member_invited") as invited:
        invitation, secret = actions.invite_member(
            actor=SYSTEM, now=NOW, email=" Ida@Example.com ", role=Role.COLLECTOR, entity_id=north.pk
        )
    assert (invited[0].subject_id, invited[0].facts) == (str(invitation.pk), {"role": "collector"})
    with exactly_one_event("accounts.invitation_accepted") as joined:
        user = actions.accept_invitation(actor=VISITOR, now=NOW, secret=secret, name="Ida", password=PASSWORD)
    assert (user.email, user.name, user.check_password(PASSWORD)) == ("ida@example.com", "Ida", True)
    assert actor_of(user).grants == (Grant(Role.COLLECTOR, north.pk),)
    assert EmailAddress.objects.get(user=user).verified
    assert joined[0].actor_id == user.pk
    with nothing_changes(User, Membership, Invitation), pytest.raises(Refused, match="no longer open"):
        actions.accept_invitation(actor=VISITOR, now=NOW, secret=secret, name="Eve", password=PASSWORD)


def test_the_secret_of_an_invitation_is_stored_nowhere(organisation: Organisation) -> None:
    invitation, secret = actions.invite_member(
        actor=SYSTEM, now=NOW, email="ida@example.com", role=Role.COLLECTOR, entity_id=None
    )
    assert len(secret) == 43
    stored = Invitation.objects.filter(pk=invitation.pk).values_list()[0]
    assert secret not in map(str, stored)


def test_an_old_or_withdrawn_invitation_lets_nobody_in(organisation: Organisation) -> None:
    invitation, secret = actions.invite_member(
        actor=SYSTEM, now=NOW, email="ida@example.com", role=Role.COLLECTOR, entity_id=None
    )
    assert invitation_by_secret(secret, now=NOW + timedelta(days=7) - timedelta(seconds=1)) == invitation
    assert invitation_by_secret(secret, now=NOW + timedelta(days=7)) is None
    with exactly_one_event("accounts.invitation_withdrawn"):
        actions.withdraw_invitation(actor=SYSTEM, now=NOW, invitation=invitation)
    with nothing_changes(User, Invitation), pytest.raises(Refused, match="no longer open"):
        actions.accept_invitation(actor=VISITOR, now=NOW, secret=secret, name="Ida", password=PASSWORD)
    with nothing_changes(Invitation), pytest.raises(Refused, match="no longer open"):
        actions.withdraw_invitation(actor=SYSTEM, now=NOW, invitation=invitation)


def test_nobody_is_invited_twice_to_the_same_role(organisation: Organisation) -> None:
    member = organisation.member(Role.COLLECTOR, None, "ida@example.com")
    with nothing_changes(Invitation), pytest.raises(Refused, match="is a member already") as error:
        actions.invite_member(
            actor=SYSTEM, now=NOW, email=member.email.upper(), role=Role.ADMINISTRATOR, entity_id=None
        )
    assert error.value.field == "email"
    assert "on the person's page" in str(error.value)
    here = organisation.actor(Role.ADMINISTRATOR, organisation.north)
    with nothing_changes(Invitation), pytest.raises(Refused, match="administrator of all entities can grant"):
        actions.invite_member(
            actor=here, now=NOW, email=member.email, role=Role.COLLECTOR, entity_id=organisation.north.pk
        )
    invitation = {"email": "jon@example.com", "role": Role.COLLECTOR, "entity_id": None}
    actions.invite_member(actor=SYSTEM, now=NOW, **invitation)
    with nothing_changes(Invitation), pytest.raises(Refused, match="invited to this role already"):
        actions.invite_member(actor=SYSTEM, now=NOW, **invitation)
    actions.invite_member(actor=SYSTEM, now=NOW + timedelta(days=8), **invitation)


def test_a_weak_password_lets_nobody_in(organisation: Organisation) -> None:
    _, secret = actions.invite_member(actor=SYSTEM, now=NOW, email="i@e.com", role=Role.COLLECTOR, entity_id=None)
    for weak in ("short", "eleven char", "qwertyuiop123"):
        with nothing_changes(User, Invitation), pytest.raises(Refused) as error:
            actions.accept_invitation(actor=VISITOR, now=NOW, secret=secret, name="Ida", password=weak)
        assert error.value.field == "password"


def test_who_is_signed_in_joins_no_second_time(organisation: Organisation) -> None:
    _, secret = actions.invite_member(actor=SYSTEM, now=NOW, email="i@e.com", role=Role.COLLECTOR, entity_id=None)
    with nothing_changes(User, Invitation), pytest.raises(Refused, match="signed in as Ida"):
        actions.accept_invitation(actor=Actor(5, "Ida"), now=NOW, secret=secret, name="Ida", password=PASSWORD)


def test_a_role_is_granted_and_taken_once(organisation: Organisation) -> None:
    member = organisation.member(Role.COLLECTOR, organisation.north)
    with exactly_one_event("accounts.role_granted") as granted:
        membership = actions.grant_role(
            actor=SYSTEM, now=NOW, member=member, role=Role.CREDIT_MANAGER, entity_id=organisation.north.pk
        )
    assert (granted[0].entity_id, granted[0].facts) == (organisation.north.pk, {"role": "credit_manager"})
    with nothing_changes(Membership), pytest.raises(Refused, match="holds this role already"):
        actions.grant_role(
            actor=SYSTEM, now=NOW, member=member, role=Role.CREDIT_MANAGER, entity_id=organisation.north.pk
        )
    with exactly_one_event("accounts.role_revoked"):
        actions.revoke_role(actor=SYSTEM, now=NOW, membership=membership)
    assert actor_of(member).grants == (Grant(Role.COLLECTOR, organisation.north.pk),)
    with nothing_changes(Membership), pytest.raises(Refused, match="taken away already"):
        actions.revoke_role(actor=SYSTEM, now=NOW, membership=membership)


def test_an_administrator_of_one_entity_reaches_no_other(organisation: Organisation) -> None:
    administrator = organisation.actor(Role.ADMINISTRATOR, organisation.north)
    member = organisation.member(Role.COLLECTOR, organisation.south)
    south, role = organisation.south.pk, Role.COLLECTOR
    with nothing_changes(User, Membership, Invitation):
        for entity_id in (south, None):
            with pytest.raises(NotAllowed):
                actions.grant_role(actor=administrator, now=NOW, member=member, role=role, entity_id=entity_id)
            with pytest.raises(NotAllowed):
                actions.invite_member(actor=administrator, now=NOW, email="x@e.com", role=role, entity_id=entity_id)
        with pytest.raises(NotAllowed):
            actions.revoke_role(actor=administrator, now=NOW, membership=member.memberships.get())
        with pytest.raises(NotAllowed):
            actions.deactivate_member(actor=administrator, now=NOW, member=member)


def test_the_last_administrator_stays(organisation: Organisation) -> None:
    first = organisation.member(Role.ADMINISTRATOR, None, "first@example.com")
    organisation.member(Role.ADMINISTRATOR, organisation.north)
    with nothing_changes(User, Membership):
        with pytest.raises(Refused, match="last administrator"):
            actions.revoke_role(actor=SYSTEM, now=NOW, membership=first.memberships.get())
        with pytest.raises(Refused, match="last administrator"):
            actions.deactivate_member(actor=SYSTEM, now=NOW, member=first)
    organisation.member(Role.ADMINISTRATOR, None, "second@example.com")
    actions.revoke_role(actor=SYSTEM, now=NOW, membership=first.memberships.get())
    assert actor_of(first).grants == ()


def test_deactivation_and_back(organisation: Organisation) -> None:
    member = organisation.member(Role.COLLECTOR, organisation.north)
    with exactly_one_event("accounts.member_deactivated"):
        actions.deactivate_member(actor=SYSTEM, now=NOW, member=member)
    assert not User.objects.get(pk=member.pk).is_active
    with nothing_changes(User), pytest.raises(Refused, match="deactivated already"):
        actions.deactivate_member(actor=SYSTEM, now=NOW, member=member)
    with exactly_one_event("accounts.member_reactivated"):
        actions.reactivate_member(actor=SYSTEM, now=NOW, member=member)
    with nothing_changes(User), pytest.raises(Refused, match="active already"):
        actions.reactivate_member(actor=SYSTEM, now=NOW, member=member)
