"""The first page, the health of the installation, and the pages for what went wrong."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from duecourse import __version__
from duecourse.app.access import NotAllowed, Permission
from duecourse.app.accounts.queries import memberships_of
from duecourse.app.books.queries import visible_entities
from duecourse.app.http import Request
from duecourse.app.ui.needs import for_anybody, for_members
from duecourse.app.ui.queries import first_steps


@for_members
@require_safe
def home(request: Request) -> HttpResponse:
    """Where a person arrives: what is left to set up, the entities, and the roles held."""
    return render(
        request,
        "ui/home.html",
        {
            "steps": first_steps(request.actor),
            "entities": visible_entities(request.actor, Permission.SEE_ENTITIES),
            "memberships": memberships_of(request.actor),
        },
    )


@for_anybody
@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """200 when the database answers; for monitors and load balancers. Says nothing that a stranger may not know."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return JsonResponse({"status": "well", "version": __version__})


def _problem(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    return render(request, "ui/problem.html", {"status": status, "title": title, "text": text}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the browser sent something that no page of ours sends, or came by an address that is not ours."""
    if isinstance(exception, DisallowedHost):
        text = (
            f"Open {settings.PUBLIC_URL} instead. Another address is set with DUECOURSE_URL at the start of the server."
        )
        return _problem(request, 400, "This is not the address of the application", text)
    return _problem(request, 400, "This request could not be read", "Go back, reload the page and try again.")


def too_large(request: HttpRequest) -> HttpResponse:
    """413: more was sent than the page takes."""
    return _problem(request, 413, "This is too large", "Send fewer or smaller files; an import takes five of 200 MB.")


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: says which role would be needed."""
    text = str(exception) if isinstance(exception, NotAllowed) else "Your roles do not include this."
    return _problem(request, 403, "You may not do this", text)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """404: there is no such page, or it belongs to an entity that is none of the person's business."""
    text = "The address is wrong, or the page belongs to an entity that you have no role for."
    return _problem(request, 404, "There is nothing here", text)


def failure(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """500: our fault. Needs no database, because the database may be what failed."""
    return HttpResponse(_FAILURE, status=500)


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """403 for a form without its token: mostly a page that stood open for long, or cookies that are switched off."""
    text = "Reload the page and send the form again. If it happens again, allow cookies for this address."
    return _problem(request, 403, "This form has expired", text)


_FAILURE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Something went wrong - duecourse</title></head>
<body><main><h1>Something went wrong on our side</h1>
<p>Nothing was changed. Go back and try again; if it happens again, tell your administrator the time: the log holds the
cause.</p><p><a href="/">Home</a></p></main></body></html>
"""
