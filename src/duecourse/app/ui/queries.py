"""What the first page needs to know: how far the installation is set up, for whoever can do the next step."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from duecourse.app.access import Actor, Permission
from duecourse.app.accounts.queries import open_invitations, visible_members
from duecourse.app.books.queries import any_loads, visible_entities


@dataclass(frozen=True, slots=True)
class Step:
    """One step of setting up: what to do, why, where, and whether it is done."""

    title: str
    why: str
    url: str
    done: bool


def first_steps(actor: Actor) -> list[Step]:
    """The steps of setting up that ``actor`` may take, in order."""
    steps = []
    if actor.may(Permission.MANAGE_ENTITIES):
        entities = visible_entities(actor, Permission.MANAGE_ENTITIES)
        steps.append(
            Step(
                "Open the books of a legal entity",
                "Invoices, people's rights and every figure belong to one.",
                reverse("books:open"),
                entities.exists(),
            )
        )
    if actor.may(Permission.MANAGE_MEMBERS):
        steps.append(
            Step(
                "Invite your colleagues",
                "Collectors work the list, credit managers decide, finance reads along.",
                reverse("accounts:invite"),
                visible_members(actor)[:2].count() > 1 or open_invitations(actor).exists(),
            )
        )
    if actor.may_somewhere(Permission.IMPORT_BOOKS):
        loaded = any_loads(visible_entities(actor, Permission.IMPORT_BOOKS))
        steps.append(
            Step(
                "Import your invoices",
                "A year or more of them, paid ones included, so that predictions can learn.",
                reverse("imports:new"),
                loaded,
            )
        )
    return steps
