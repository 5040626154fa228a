"""Registers the feature with Django."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Long and timed work: queued, retried, watched."""

    name = "duecourse.app.jobs"
    label = "jobs"
