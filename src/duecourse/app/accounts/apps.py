"""Registers the feature with Django."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, their roles and invitations."""

    name = "duecourse.app.accounts"
    label = "accounts"
