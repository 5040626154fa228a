"""The table of predictions."""

from __future__ import annotations

from datetime import date
from typing import Any

import django_tables2 as tables
from django.utils.html import format_html

from duecourse.app.scores.models import Score
from duecourse.app.ui.format import NUMBER, WHOLE, day, money


class ScoreTable(tables.Table):  # type: ignore[misc]  # django-tables2 ships no types
    """Open invoices with the day they are expected, how sure that is, and why."""

    invoice_id = tables.Column(verbose_name="Invoice", attrs=WHOLE)
    customer_name = tables.Column(verbose_name="Customer", empty_values=())
    open_minor = tables.Column(verbose_name="Open", attrs=NUMBER)
    days_late = tables.Column(verbose_name="Days late", attrs=NUMBER)
    p_late = tables.Column(verbose_name="Late", attrs=NUMBER)
    paid_on_p50 = tables.Column(verbose_name="Expected", empty_values=(), attrs=WHOLE)
    reasons = tables.Column(orderable=False, verbose_name="Why")

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:  # noqa: ANN401 - django-tables2's signature
        self.today = today
        super().__init__(*args, **kwargs)

    def render_customer_name(self, record: Any) -> str:  # noqa: ANN401 - annotated by the query
        """The name; the number where there is none."""
        return str(record.customer_name or record.customer_id)

    def render_open_minor(self, value: int, record: Score) -> str:
        """With the currency."""
        return money(value, record.currency)

    def render_days_late(self, value: int) -> str:
        """Only once it is late."""
        return f"{value:,}" if value > 0 else "not due" if value < 0 else "due"

    def render_p_late(self, value: float) -> str:
        """The chance that it is paid after its due date."""
        return f"{value:.0%}"

    def render_paid_on_p50(self, record: Score) -> str:
        """The median day with its band of 80 %; without a median it is more likely never to be paid within the year."""
        if record.paid_on_p50 is None:
            return format_html('{} <span class="quiet">{}</span>', "not foreseen", f"{record.p_never:.0%} never")
        early, late = (str(one) if one else "open end" for one in (record.paid_on_p10, record.paid_on_p90))
        return format_html(
            '{} <br><span class="quiet small">{} to {}</span>', day(record.paid_on_p50, self.today), early, late
        )  # fmt: skip

    def render_reasons(self, value: list[dict[str, Any]]) -> str:
        """The reasons in days, the weightiest first."""
        return "; ".join(f"{one['reason']} ({one['days']:+.0f} d)" for one in value[:2])
