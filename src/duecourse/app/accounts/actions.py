"""What people do to people: invite, join, grant and take roles, deactivate. Each act is one transaction, one event."""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from duecourse.app.access import Actor, Permission, Refused, Role
from duecourse.app.accounts.models import Invitation, Membership, User
from duecourse.app.accounts.queries import invitation_by_secret
from duecourse.app.accounts.secrets import hash_of, new_secret
from duecourse.app.audit.actions import record

INVITATION_LASTS = timedelta(days=7)


def invite_member(
    *, actor: Actor, now: datetime, email: str, role: Role, entity_id: int | None
) -> tuple[Invitation, str]:
    """Invite a person to take ``role``; gives the invitation and the secret of its link, which is kept nowhere.

    Raises Refused when the address belongs to a member or is already invited to the same role.
    """
    actor.require(Permission.MANAGE_MEMBERS, entity_id)
    email = email.strip().lower()
    with transaction.atomic():
        if User.objects.filter(email__iexact=email).exists():
            cure = (
                "grant the role on the person's page"
                if actor.may(Permission.MANAGE_MEMBERS)
                else (
                    "an administrator of all entities can grant the role, if the person is not on your list of members"
                )
            )
            raise Refused(f"{email} is a member already; {cure}.", "email")
        waiting = Invitation.objects.filter(
            Q(entity_id=entity_id), email__iexact=email, role=role, accepted_at=None, withdrawn_at=None,
            expires_at__gt=now,
        )  # fmt: skip
        if waiting.exists():
            raise Refused(f"{email} is invited to this role already; withdraw that invitation first.", "email")
        secret = new_secret()
        invitation = Invitation.objects.create(
            email=email, role=role, entity_id=entity_id, secret_hash=hash_of(secret), invited_by_id=actor.user_id,
            invited_at=now, expires_at=now + INVITATION_LASTS,
        )  # fmt: skip
        record(
            actor=actor, now=now, code="accounts.member_invited", subject=("invitation", invitation.pk),
            entity_id=entity_id, role=role,
        )  # fmt: skip
    return invitation, secret


def withdraw_invitation(*, actor: Actor, now: datetime, invitation: Invitation) -> None:
    """Make the link of ``invitation`` worthless."""
    actor.require(Permission.MANAGE_MEMBERS, invitation.entity_id)
    with transaction.atomic():
        open_still = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, withdrawn_at=None)
        if not open_still.update(withdrawn_at=now):
            raise Refused("This invitation is no longer open.")
        record(
            actor=actor, now=now, code="accounts.invitation_withdrawn", subject=("invitation", invitation.pk),
            entity_id=invitation.entity_id,
        )  # fmt: skip


def accept_invitation(*, actor: Actor, now: datetime, secret: str, name: str, password: str) -> User:
    """Join by the link of an invitation; ``actor`` is the visitor, whose only right is the secret.

    Raises Refused for somebody who is signed in, when the link is not open, or when the password is too weak (field
    ``password``).
    """
    if actor.user_id:
        raise Refused(f"You are signed in as {actor.name}. Sign out first to accept an invitation.")
    with transaction.atomic():
        invitation = invitation_by_secret(secret, now=now)
        waiting = Invitation.objects.filter(accepted_at=None, withdrawn_at=None)
        # Closed first: of two who come at once the second waits here, and then finds it closed.
        if invitation is None or not waiting.filter(pk=invitation.pk).update(accepted_at=now):
            raise Refused("This invitation is no longer open. Ask the person who invited you for a new one.")
        if User.objects.filter(email__iexact=invitation.email).exists():
            raise Refused("There is a member with this address already. Sign in instead.")
        user = User(email=invitation.email, name=name.strip(), joined_at=now)
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise Refused(" ".join(error.messages), "password") from None
        user.set_password(password)
        user.save(force_insert=True)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        Membership.objects.create(user=user, entity_id=invitation.entity_id, role=invitation.role, granted_at=now)
        Invitation.objects.filter(pk=invitation.pk).update(accepted_by=user)
        joined = Actor(user.pk, user.name)
        record(
            actor=joined, now=now, code="accounts.invitation_accepted", subject=("invitation", invitation.pk),
            entity_id=invitation.entity_id, role=invitation.role,
        )  # fmt: skip
    return user


def grant_role(*, actor: Actor, now: datetime, member: User, role: Role, entity_id: int | None) -> Membership:
    """Give ``member`` a role for an entity, or for all (None). Raises Refused when the role is held already."""
    actor.require(Permission.MANAGE_MEMBERS, entity_id)
    with transaction.atomic():
        _lock(member)
        if Membership.objects.filter(Q(entity_id=entity_id), user=member, role=role).exists():
            raise Refused(f"{member.name} holds this role already.", "role")
        membership = Membership.objects.create(user=member, role=role, entity_id=entity_id, granted_at=now)
        record(
            actor=actor, now=now, code="accounts.role_granted", subject=("member", member.pk), entity_id=entity_id,
            role=role,
        )  # fmt: skip
    return membership


def revoke_role(*, actor: Actor, now: datetime, membership: Membership) -> None:
    """Take one role away. Raises Refused for the last administrator of all entities."""
    actor.require(Permission.MANAGE_MEMBERS, membership.entity_id)
    with transaction.atomic():
        if membership.entity_id is None and membership.role == Role.ADMINISTRATOR:
            _keep_an_administrator(besides=membership.user_id)
        if not Membership.objects.filter(pk=membership.pk).delete()[0]:
            raise Refused("This role was taken away already.")
        record(
            actor=actor, now=now, code="accounts.role_revoked", subject=("member", membership.user_id),
            entity_id=membership.entity_id, role=membership.role,
        )  # fmt: skip


def deactivate_member(*, actor: Actor, now: datetime, member: User) -> None:
    """Shut ``member`` out from the next request on; the person's acts stay. Needs the right over all entities."""
    actor.require(Permission.MANAGE_MEMBERS)
    with transaction.atomic():
        _keep_an_administrator(besides=member.pk)
        if not User.objects.filter(pk=member.pk, is_active=True).update(is_active=False):
            raise Refused(f"{member.name} is deactivated already.")
        record(actor=actor, now=now, code="accounts.member_deactivated", subject=("member", member.pk))


def reactivate_member(*, actor: Actor, now: datetime, member: User) -> None:
    """Let ``member`` sign in again, with the roles held before."""
    actor.require(Permission.MANAGE_MEMBERS)
    with transaction.atomic():
        if not User.objects.filter(pk=member.pk, is_active=False).update(is_active=True):
            raise Refused(f"{member.name} is active already.")
        record(actor=actor, now=now, code="accounts.member_reactivated", subject=("member", member.pk))


def _lock(member: User) -> None:
    """Two acts on the roles of one person follow each other."""
    User.objects.select_for_update().get(pk=member.pk)


def _keep_an_administrator(*, besides: int) -> None:
    """Raises Refused when nobody else could administrate; the rows stay locked, so that two cannot leave at once."""
    administrators = Membership.objects.select_for_update().filter(
        role=Role.ADMINISTRATOR, entity=None, user__is_active=True
    )
    if set(administrators.values_list("user_id", flat=True)) == {besides}:
        raise Refused("This is the last administrator of all entities. Make somebody else one first.")
