"""Registers the feature with Django."""

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    """Exports on their way into the books: uploaded, read, checked, loaded."""

    name = "duecourse.app.imports"
    label = "imports"
