"""The ways that every page offers: where they lead, and who is offered them."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from duecourse.app.access import Actor, Permission


@dataclass(frozen=True, slots=True)
class Way:
    """One entry of the navigation. ``here`` marks the page that is open."""

    label: str
    url: str
    here: bool


_WAYS: tuple[tuple[str, str, Permission | None], ...] = (
    ("Home", "ui:home", None),
    ("Entities", "books:entities", Permission.SEE_ENTITIES),
    ("Imports", "imports:imports", Permission.IMPORT_BOOKS),
    ("Jobs", "jobs:jobs", Permission.SEE_JOBS),
    ("Members", "accounts:members", Permission.SEE_MEMBERS),
    ("Audit", "audit:events", Permission.SEE_AUDIT),
)


def ways(actor: Actor, path: str) -> list[Way]:
    """The entries that ``actor`` may open; the one under which ``path`` lies is marked."""
    found = [(label, reverse(name)) for label, name, needed in _WAYS if needed is None or actor.may_somewhere(needed)]
    home = reverse("ui:home")
    return [Way(label, url, path == url or (url != home and path.startswith(url))) for label, url in found]
