"""What a view needs: each view declares it, and one that does not stops the start of the application."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.checks import CheckMessage, Error
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver

from duecourse.app.access import NotAllowed, Permission
from duecourse.app.http import Request

View = Callable[..., HttpResponse]
ANYBODY, MEMBER = "anybody", "member"


def needs(permission: Permission) -> Callable[[View], View]:
    """The view is for people who hold ``permission`` for some entity; which rows they see is the query's matter."""

    def declare(view: View) -> View:
        @wraps(view)
        def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ANN401 - what the route holds
            request.actor.require_somewhere(permission)
            return view(request, *args, **kwargs)

        return _declared(guarded, permission)

    return declare


def for_members(view: View) -> View:
    """The view is for everybody who is signed in."""
    return _declared(view, MEMBER)


def for_anybody(view: View) -> View:
    """The view is for visitors too, without signing in."""
    return _declared(login_not_required(view), ANYBODY)


def _declared(view: View, what: str) -> View:
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ANN401
        try:
            return view(request, *args, **kwargs)
        except NotAllowed as error:
            from duecourse.app.ui.views import not_allowed

            return not_allowed(request, error)

    answered = wraps(view)(shown)
    answered.needs = what  # type: ignore[attr-defined]
    return answered


def routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every route of the application with its whole pattern."""
    for entry in (resolver or get_resolver()).url_patterns:
        whole = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, whole)
        else:
            yield whole, entry


def own_routes() -> Iterator[tuple[str, URLPattern]]:
    """Every route but those of allauth, which guards its own: signing in, passwords, second factor, sessions."""
    for whole, entry in routes():
        if not whole.startswith("account/") or entry.callback.__module__.startswith("duecourse."):
            yield whole, entry


def every_view_declares(**_: Any) -> list[CheckMessage]:  # noqa: ANN401 - Django's signature
    """Start-up check: a view without a declared need is an error, not an open door."""
    return [
        Error(f"the view of /{whole} does not declare what it needs", hint="decorate it with ui.needs", id="ui.E001")
        for whole, entry in own_routes()
        if not hasattr(entry.callback, "needs")
    ]
