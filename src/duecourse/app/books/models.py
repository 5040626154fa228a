"""The legal entities whose receivables are kept here, what was loaded into their books, and the rows themselves."""

from __future__ import annotations

from django.db import models

from duecourse.app.books.rows import ROWS, LedgerRow

__all__ = ["ROWS", "BookLoad", "Entity", "LedgerRow"]


class Entity(models.Model):
    """A legal entity of the organisation: it owns books, a time zone and a currency. ``code`` stands in addresses."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120, unique=True)
    timezone = models.CharField(max_length=60)
    currency = models.CharField(max_length=3)
    opened_at = models.DateTimeField()

    class Meta:
        """Entities are listed by name."""

        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class BookLoad(models.Model):
    """One ledger that was loaded into the books of an entity; the newest one can be undone."""

    entity = models.ForeignKey(Entity, models.PROTECT, related_name="loads")
    source = models.CharField(max_length=200)
    loaded_at = models.DateTimeField()
    loaded_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    row_counts = models.JSONField()
    row_count = models.BigIntegerField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        """The newest first."""

        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.source
