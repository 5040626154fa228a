"""A job is a row: what is to be done, how far it is, and what came of it. The queue of django-tasks only nudges."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class State(models.TextChoices):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (State.WAITING, State.RUNNING)


class Job(models.Model):
    """One piece of work. ``key`` says what it is about: of the open jobs, only one has it."""

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=120)
    arguments = models.JSONField()
    entity = models.ForeignKey("books.Entity", models.PROTECT, null=True, related_name="+")
    asked_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    run_after = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    doing = models.CharField(max_length=200, blank=True)
    result = models.JSONField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        """The newest first; an open job is the only one about its matter."""

        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=Q(state__in=OPEN), name="jobs_one_open_per_key")
        ]
        indexes = [
            models.Index(fields=["state", "run_after"], name="jobs_ready"),
            models.Index(fields=["key"], name="jobs_key"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
