"""Reading people: who is acting, whom one may see, and open invitations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import Http404

from duecourse.app.access import SYSTEM, Actor, Grant, Permission, Role
from duecourse.app.accounts.models import Invitation, Membership, User
from duecourse.app.accounts.secrets import hash_of

# Who decides about money or people signs in with a second factor (reliability: approver, manager, administrator).
SECOND_FACTOR_ROLES = frozenset({Role.CREDIT_MANAGER, Role.ADMINISTRATOR})


def actor_of(user: User | AnonymousUser) -> Actor:
    """The person with the grants held now; an anonymous visitor holds none, and nor does who is deactivated."""
    if not isinstance(user, User):
        return Actor(0, "somebody")
    if not user.is_active:
        return Actor(user.pk, user.name)
    held = Membership.objects.filter(user=user).values_list("role", "entity_id").order_by("pk")
    return Actor(user.pk, user.name, tuple(Grant(Role(role), entity_id) for role, entity_id in held))


def needs_second_factor(actor: Actor) -> bool:
    """Whether a role of ``actor`` asks for a second factor and none is set up."""
    if not any(grant.role in SECOND_FACTOR_ROLES for grant in actor.grants):
        return False
    return not Authenticator.objects.filter(user_id=actor.user_id, type=Authenticator.Type.TOTP).exists()


def _seen(actor: Actor) -> Q:
    entities = actor.entities(Permission.SEE_MEMBERS)
    return Q() if entities is None else Q(entity_id__in=entities)


def visible_members(actor: Actor) -> QuerySet[User]:
    """People with a role for an entity whose members ``actor`` may see, with only those roles, by name.

    Each has ``visible_memberships`` (with their entities) and ``has_second_factor``.
    """
    memberships = Membership.objects.filter(_seen(actor)).select_related("entity").order_by("entity__name", "role")
    members = User.objects.annotate(
        has_second_factor=Exists(Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP))
    ).prefetch_related(Prefetch("memberships", memberships, to_attr="visible_memberships"))
    if actor.entities(Permission.SEE_MEMBERS) is not None:
        members = members.filter(Exists(Membership.objects.filter(_seen(actor), user=OuterRef("pk"))))
    return members.order_by("name", "pk")


def member_for(actor: Actor, pk: int) -> User:
    """That person. Raises Http404 when there is none or when the person is foreign to ``actor``."""
    member = visible_members(actor).filter(pk=pk).first()
    if member is None:
        raise Http404(f"no member {pk}")
    return member


def membership_for(actor: Actor, pk: int) -> Membership:
    """That role of a person. Raises Http404 when there is none or when it is foreign to ``actor``."""
    membership = Membership.objects.filter(_seen(actor), pk=pk).select_related("user", "entity").first()
    if membership is None:
        raise Http404(f"no membership {pk}")
    return membership


def open_invitations(actor: Actor) -> QuerySet[Invitation]:
    """Invitations that are neither accepted nor withdrawn and that ``actor`` may see, newest first."""
    waiting = Invitation.objects.filter(_seen(actor), accepted_at=None, withdrawn_at=None)
    return waiting.select_related("entity", "invited_by").order_by("-invited_at", "-pk")


def invitation_for(actor: Actor, pk: int) -> Invitation:
    """That open invitation. Raises Http404 when there is none or when it is foreign to ``actor``."""
    invitation = open_invitations(actor).filter(pk=pk).first()
    if invitation is None:
        raise Http404(f"no invitation {pk}")
    return invitation


def invitation_by_secret(secret: str, *, now: datetime) -> Invitation | None:
    """The invitation that the link's secret opens, while it is open and not expired."""
    waiting = Invitation.objects.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=now)
    return waiting.select_related("entity").filter(secret_hash=hash_of(secret)).first()


def nobody_has_joined() -> bool:
    """Whether the installation has no member yet."""
    return not User.objects.exists()


def member_labels(ids: Iterable[str]) -> Mapping[str, str]:
    """Names of people by id."""
    return {str(pk): name for pk, name in User.objects.filter(pk__in=list(ids)).values_list("pk", "name")}


def invitation_labels(ids: Iterable[str]) -> Mapping[str, str]:
    """Addresses of invitations by id."""
    return {str(pk): email for pk, email in Invitation.objects.filter(pk__in=list(ids)).values_list("pk", "email")}


def memberships_of(actor: Actor) -> QuerySet[Membership]:
    """The roles that ``actor`` holds, with their entities."""
    held = Membership.objects.filter(Q(user_id=actor.user_id)).select_related("entity")
    return held.order_by("entity__name", "role")


def actor_by_id(user_id: int | None) -> Actor:
    """Who asked for a job, with the grants held now: a person who lost the right meanwhile does no more."""
    if user_id is None:
        return SYSTEM
    return actor_of(User.objects.get(pk=user_id))
