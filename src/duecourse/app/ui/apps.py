"""Registers the feature with Django."""

from django.apps import AppConfig
from django.core.checks import register


class UserInterfaceConfig(AppConfig):
    """Pages that belong to no feature."""

    name = "duecourse.app.ui"
    label = "ui"

    def ready(self) -> None:
        """Puts the check on the routes among Django's own start-up checks."""
        from duecourse.app.ui.needs import every_view_declares

        register(every_view_declares)
