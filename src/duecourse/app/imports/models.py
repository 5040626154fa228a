"""An import: the files that somebody uploaded, how they are to be read, and what the reading found."""

from __future__ import annotations

from django.db import models


class Stage(models.TextChoices):
    """Where an import stands."""

    READING = "reading"
    ASKS = "asks"
    REFUSED = "refused"
    READY = "ready"
    LOADING = "loading"
    LOADED = "loaded"
    DISCARDED = "discarded"


class Import(models.Model):
    """One or more files that belong together. Nothing of it is in the books before ``load`` is set."""

    entity = models.ForeignKey("books.Entity", models.PROTECT, related_name="+")
    asked_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField()
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.READING)
    folder = models.CharField(max_length=64, unique=True)
    files = models.JSONField()
    answers = models.JSONField()
    found = models.JSONField(null=True)
    job = models.ForeignKey("jobs.Job", models.PROTECT, null=True, related_name="+")
    load = models.ForeignKey("books.BookLoad", models.PROTECT, null=True, related_name="+")

    class Meta:
        """The newest first."""

        ordering = ["-pk"]

    def __str__(self) -> str:
        return ", ".join(self.files)
