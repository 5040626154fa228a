"""Registers the feature with Django."""

from django.apps import AppConfig


class ScoresConfig(AppConfig):
    """When is each open invoice paid."""

    name = "duecourse.app.scores"
    label = "scores"
