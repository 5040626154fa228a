"""Registers the feature with Django."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """What was done, by whom, in an unbroken chain."""

    name = "duecourse.app.audit"
    label = "audit"
