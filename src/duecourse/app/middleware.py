"""What happens around every request: one log line, the end of old sessions, and who is acting."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from django.conf import settings
from django.contrib.auth import logout
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from duecourse.app.accounts.queries import actor_of, needs_second_factor
from duecourse.app.ui.views import too_large

Handler = Callable[[HttpRequest], HttpResponse]
log = logging.getLogger("duecourse.request")
# Saving the session on every request would be a write on every page view.
SEEN_AGAIN_AFTER_SECONDS = 60


class QueryCount:
    """Counts the queries of one request, for the log and for the query budget of each page."""

    def __init__(self) -> None:
        self.queries = 0

    def __call__(self, execute, sql, params, many, context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204 - Django's wrapper
        """Django's execute wrapper: counts, then does what was asked."""
        self.queries += 1
        return execute(sql, params, many, context)


def request_log(get_response: Handler) -> Handler:
    """One line per request with its id, person, status, milliseconds and queries; the id comes back as a header."""

    def handle(request: HttpRequest) -> HttpResponse:
        request_id = uuid.uuid4().hex
        counted, start = QueryCount(), time.perf_counter()
        with connection.execute_wrapper(counted):
            response = get_response(request)
        response["X-Request-ID"] = request_id
        match = request.resolver_match
        user = getattr(request, "user", None)
        log.info(
            "request",
            extra={
                # The route and not the path: a path may hold a token.
                "request_id": request_id, "method": request.method, "route": match.route if match else "",
                "status": response.status_code, "queries": counted.queries, "user_id": user.pk if user else None,
                "milliseconds": round((time.perf_counter() - start) * 1000, 1),
            },
        )  # fmt: skip
        return response

    return handle


def upload_limit(get_response: Handler) -> Handler:
    """Refuses a body that no page of ours sends, before anything reads it: a stranger must not fill the disk."""

    def handle(request: HttpRequest) -> HttpResponse:
        uploads = request.user.is_authenticated and request.path == reverse("imports:new")
        most = settings.LARGEST_UPLOAD if uploads else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if int(request.META.get("CONTENT_LENGTH") or 0) > most:
            return too_large(request)
        return get_response(request)

    return handle


def session_limits(get_response: Handler) -> Handler:
    """Signs out whoever was idle too long or signed in too long ago."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = datetime.now(UTC).timestamp()
            session = request.session
            began, seen = session.setdefault("began", now), session.setdefault("seen", now)
            if now - seen > settings.SESSION_IDLE.total_seconds() or (
                now - began > settings.SESSION_LONGEST.total_seconds()
            ):
                logout(request)
            elif now - seen > SEEN_AGAIN_AFTER_SECONDS:
                session["seen"] = now
        return get_response(request)

    return handle


def acting_person(get_response: Handler) -> Handler:
    """Gives ``request.actor`` and ``request.now``; grants are read anew on each request, so a revoked one bites.

    What a member saw is kept by no browser: after signing out the way back shows nothing.
    """

    def handle(request: HttpRequest) -> HttpResponse:
        request.now = datetime.now(UTC)  # type: ignore[attr-defined]
        request.actor = SimpleLazyObject(lambda: actor_of(request.user))  # type: ignore[attr-defined]
        signed_in = request.user.is_authenticated
        response = get_response(request)
        if signed_in and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "private, no-store"
        return response

    return handle


def second_factor(get_response: Handler) -> Handler:
    """Leads whoever decides about money or people, and signs in by password alone, to setting up a second factor."""

    def handle(request: HttpRequest) -> HttpResponse:
        if settings.SECOND_FACTOR_REQUIRED and request.user.is_authenticated:
            own_pages = reverse("account_login").removesuffix("login/")
            if not request.path.startswith(own_pages) and needs_second_factor(request.actor):  # type: ignore[attr-defined]
                return redirect("mfa_activate_totp")
        return get_response(request)

    return handle
