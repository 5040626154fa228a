"""The legal entities whose receivables are kept here."""

from __future__ import annotations

from django.db import models


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
