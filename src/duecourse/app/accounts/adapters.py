"""How allauth behaves here: nobody signs up uninvited, and our words stand in its messages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Accounts come from invitations only."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's signature
        """Never: an invitation is the only door."""
        return False

    def get_from_email(self) -> str:
        """The sender of every message of the application."""
        return str(settings.DEFAULT_FROM_EMAIL)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link of a message, by the address that people type: a visitor may send any other as the host."""
        made = urlsplit(super().get_reset_password_from_key_url(key))
        return f"{settings.PUBLIC_URL}{made.path}"


class SignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Signing on by the organisation's provider is for members; it makes no new ones."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ANN401, ARG002
        """Never: an invitation is the only door."""
        return False


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """Second factors under the name of the installation."""

    def get_totp_label(self, user: Any) -> str:  # noqa: ANN401 - allauth's signature
        """What the authenticator app shows beside the code."""
        return str(user.email)
