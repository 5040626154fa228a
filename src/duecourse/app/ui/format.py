"""How figures read on every page."""

from __future__ import annotations

from datetime import date

from django.utils.html import format_html

from duecourse.core.money import Money

LOCALE = "en_GB"
WHOLE = {"td": {"class": "nowrap"}}  # attributes of a column whose cells are not broken
NUMBER = {"th": {"class": "number"}, "td": {"class": "number"}}  # attributes of a column of figures


def money(minor: int, currency: str) -> str:
    """An amount as people write it, with its currency's own decimals."""
    return Money(minor, currency).format(LOCALE)


def day(value: date, today: date) -> str:
    """A date in words near today (``in 3 days``), with the ISO date as its tooltip; else the date itself."""
    apart = (value - today).days
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    if abs(apart) <= 1:
        words = near[apart]
    elif abs(apart) <= 14:
        words = f"in {apart} days" if apart > 0 else f"{-apart} days ago"
    else:
        words = f"{value.day} {value:%b %Y}"
    return format_html('<time datetime="{0}" title="{0}">{1}</time>', value.isoformat(), words)
