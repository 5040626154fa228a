"""Messages about accounts."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from duecourse.app.accounts.models import Invitation

log = logging.getLogger("duecourse.mail")


def send_invitation(invitation: Invitation, link: str, *, inviter: str) -> bool:
    """Send the link of an invitation; False when no mail server is set up or it refused: then the link is handed over.

    A mail server that fails must not undo the invitation, because the link can be handed over by hand.
    """
    if not settings.MAIL_IS_DELIVERED:
        return False
    text = render_to_string(
        "accounts/invitation.txt", {"invitation": invitation, "link": link, "inviter": inviter}
    )  # fmt: skip
    try:
        send_mail(f"{inviter} invites you to duecourse", text, None, [invitation.email])
    except (SMTPException, OSError) as error:
        log.warning("an invitation could not be sent", extra={"invitation": invitation.pk, "error": str(error)})
        return False
    return True
