"""The screens about people: members, invitations, joining."""

from __future__ import annotations

from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from duecourse.app.access import Permission, Refused
from duecourse.app.accounts import actions, queries
from duecourse.app.accounts.forms import InvitationForm, JoiningForm, RoleForm
from duecourse.app.accounts.mail import send_invitation
from duecourse.app.accounts.models import Membership
from duecourse.app.accounts.tables import MemberTable
from duecourse.app.http import Request
from duecourse.app.ui.forms import act, refuse
from duecourse.app.ui.needs import for_anybody, needs
from duecourse.app.ui.paging import lay_out

_LINK = "invitation_link"


@needs(Permission.SEE_MEMBERS)
@require_safe
def members(request: Request) -> HttpResponse:
    """Everybody with a role for an entity of the person, and the invitations that wait."""
    table = MemberTable(queries.visible_members(request.actor))
    lay_out(request, table)
    invitations = list(queries.open_invitations(request.actor))
    return render(
        request,
        "accounts/members.html",
        {
            "table": table,
            "invitations": invitations,
            "managed": _managed(request, [one.entity_id for one in invitations]),
            "now": request.now,
            "may_manage": request.actor.may_somewhere(Permission.MANAGE_MEMBERS),
            "link": request.session.pop(_LINK, None),
        },
    )


def _managed(request: Request, entity_ids: list[int | None]) -> set[int | None]:
    """Those of the entities (None is all of them) whose people the person looks after: only there is a button."""
    return {one for one in entity_ids if request.actor.may(Permission.MANAGE_MEMBERS, one)}


@needs(Permission.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: Request) -> HttpResponse:
    """Invite somebody; the link is sent, and shown once for handing over by other ways."""
    form = InvitationForm(request.actor, request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        try:
            invitation, secret = actions.invite_member(
                actor=request.actor, now=request.now, email=email, role=form.chosen_role,
                entity_id=form.chosen_entity_id,
            )  # fmt: skip
        except Refused as error:
            refuse(form, error)
        else:
            link = settings.PUBLIC_URL + reverse("accounts:join", args=[secret])
            sent = send_invitation(invitation, link, inviter=request.actor.name)
            request.session[_LINK] = {"email": invitation.email, "link": link, "sent": sent}
            return redirect("accounts:members")
    return render(request, "accounts/invite.html", {"form": form})


@needs(Permission.MANAGE_MEMBERS)
@require_POST
def withdraw(request: Request, pk: int) -> HttpResponse:
    """Withdraw an invitation."""
    invitation = queries.invitation_for(request.actor, pk)
    return act(
        request, lambda: actions.withdraw_invitation(actor=request.actor, now=request.now, invitation=invitation),
        f"The invitation of {invitation.email} is withdrawn.", reverse("accounts:members"),
    )  # fmt: skip


@for_anybody
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: Request, secret: str) -> HttpResponse:
    """Accept an invitation: name and password, then straight in."""
    invitation = queries.invitation_by_secret(secret, now=request.now)
    form = JoiningForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = actions.accept_invitation(
                actor=request.actor, now=request.now, secret=secret, name=form.cleaned_data["name"],
                password=form.cleaned_data["password"],
            )  # fmt: skip
        except Refused as error:
            refuse(form, error)
        else:
            signed_in: HttpResponse = perform_login(request, user, redirect_url=reverse("ui:home"))
            return signed_in
    status = 200 if invitation else 410
    return render(request, "accounts/join.html", {"invitation": invitation, "form": form}, status=status)


@needs(Permission.SEE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def member(request: Request, pk: int) -> HttpResponse:
    """One person: roles held, roles to give (POST), and shutting out."""
    person = queries.member_for(request.actor, pk)
    held: list[Membership] = person.visible_memberships  # type: ignore[attr-defined]  # by the query
    may_manage = request.actor.may_somewhere(Permission.MANAGE_MEMBERS)
    form = RoleForm(request.actor, request.POST or None)
    if request.method == "POST":
        request.actor.require_somewhere(Permission.MANAGE_MEMBERS)
        if form.is_valid():
            try:
                actions.grant_role(
                    actor=request.actor, now=request.now, member=person, role=form.chosen_role,
                    entity_id=form.chosen_entity_id,
                )  # fmt: skip
            except Refused as error:
                refuse(form, error)
            else:
                messages.success(request, f"{person.name} is now {form.chosen_role.label}.")
                return redirect("accounts:member", pk)
    context = {
        "member": person, "form": form, "may_manage": may_manage,
        "may_shut_out": request.actor.may(Permission.MANAGE_MEMBERS),
        "managed": _managed(request, [one.entity_id for one in held]),
    }  # fmt: skip
    return render(request, "accounts/member.html", context)


@needs(Permission.MANAGE_MEMBERS)
@require_POST
def revoke(request: Request, pk: int) -> HttpResponse:
    """Take a role away."""
    membership = queries.membership_for(request.actor, pk)
    back = reverse("accounts:member", args=[membership.user_id])
    if membership.user_id == request.actor.user_id:
        back = reverse("ui:home")
    return act(
        request, lambda: actions.revoke_role(actor=request.actor, now=request.now, membership=membership),
        f"{membership.user.name} is no longer {membership.get_role_display()}.", back,
    )  # fmt: skip


@needs(Permission.MANAGE_MEMBERS)
@require_POST
def deactivate(request: Request, pk: int) -> HttpResponse:
    """Shut a person out."""
    person = queries.member_for(request.actor, pk)
    return act(
        request, lambda: actions.deactivate_member(actor=request.actor, now=request.now, member=person),
        f"{person.name} can no longer sign in.", reverse("accounts:member", args=[pk]),
    )  # fmt: skip


@needs(Permission.MANAGE_MEMBERS)
@require_POST
def reactivate(request: Request, pk: int) -> HttpResponse:
    """Let a person in again."""
    person = queries.member_for(request.actor, pk)
    return act(
        request, lambda: actions.reactivate_member(actor=request.actor, now=request.now, member=person),
        f"{person.name} can sign in again.", reverse("accounts:member", args=[pk]),
    )  # fmt: skip
