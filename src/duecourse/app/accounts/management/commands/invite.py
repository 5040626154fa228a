"""``duecourse manage invite EMAIL``: prints the link by which somebody joins; how the first administrator gets in."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import OperationalError, ProgrammingError
from django.forms import ValidationError
from django.urls import reverse

from duecourse.app.access import SYSTEM, Refused, Role
from duecourse.app.accounts.actions import invite_member


class Command(BaseCommand):
    """Invites to a role for all entities; whoever can run it on the server could read the database anyway."""

    help = "Invite somebody to a role for all entities and print the link."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whom, and as what."""
        parser.add_argument("email")
        parser.add_argument(
            "--role", choices=[role.value for role in Role], default=Role.ADMINISTRATOR.value
        )  # fmt: skip

    def handle(self, *_: Any, email: str, role: str, **__: Any) -> None:  # noqa: ANN401 - Django's signature
        """Invite. Raises CommandError for a wrong address, a member, or somebody who is invited already."""
        try:
            validate_email(email)
            secret = invite_member(
                actor=SYSTEM, now=datetime.now(UTC), email=email, role=Role(role), entity_id=None
            )[1]  # fmt: skip
        except (Refused, ValidationError) as error:
            raise CommandError(str(error) if isinstance(error, Refused) else f"{email} is no address") from None
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(f"the database is not ready ({error}): run `duecourse serve` first") from None
        self.stdout.write(f"{email} joins as {Role(role).label} at, within seven days:")
        self.stdout.write(settings.PUBLIC_URL + reverse("accounts:join", args=[secret]))
