"""What every template knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from duecourse.app.access import Actor
from duecourse.app.ui.navigation import ways


def navigation(request: HttpRequest) -> dict[str, Any]:
    """The ways that the person is offered, and whether signing on by the organisation's provider is set up."""
    sign_on = settings.ENVIRONMENT.sign_on
    # A request that failed before our middleware has no actor.
    actor: Actor | None = getattr(request, "actor", None)
    return {
        "ways": ways(actor, request.path) if actor and actor.user_id else [],
        "sign_on_name": sign_on.name if sign_on else "",
    }
