"""The tables about the books."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

import django_tables2 as tables
from django.utils.html import format_html

from duecourse.app.books.rows import Invoice
from duecourse.app.ui.format import NUMBER, WHOLE, day, money


class EntityTable(tables.Table):  # type: ignore[misc]  # django-tables2 ships no types
    """Legal entities with what is fixed about them."""

    name = tables.Column(linkify=("books:entity", {"code": tables.A("code")}))
    code = tables.Column()
    currency = tables.Column()
    timezone = tables.Column(verbose_name="Time zone")
    opened_at = tables.DateTimeColumn(verbose_name="Opened", format="j M Y")

    class Meta:
        """In the order of their names."""

        order_by: ClassVar[str] = "name"


class InvoiceTable(tables.Table):  # type: ignore[misc]  # django-tables2 ships no types
    """Invoices with what is still open on them."""

    invoice_id = tables.Column(verbose_name="Invoice", attrs=WHOLE)
    customer_name = tables.Column(verbose_name="Customer", empty_values=())
    issued_on = tables.Column(verbose_name="Issued")
    due_on = tables.Column(verbose_name="Due")
    amount_minor = tables.Column(verbose_name="Amount", attrs=NUMBER)
    open_minor = tables.Column(verbose_name="Open", attrs=NUMBER, orderable=False)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:  # noqa: ANN401 - django-tables2's signature
        self.today = today
        super().__init__(*args, **kwargs)

    def render_customer_name(self, record: Any) -> str:  # noqa: ANN401 - annotated by the query
        """The name, and the number beside it; only the number where there is no name."""
        if not record.customer_name:
            return str(record.customer_id)
        return format_html('{} <span class="quiet">{}</span>', record.customer_name, record.customer_id)

    def render_issued_on(self, value: date) -> str:
        """In words near today."""
        return day(value, self.today)

    def render_due_on(self, value: date) -> str:
        """In words near today."""
        return day(value, self.today)

    def render_amount_minor(self, value: int, record: Invoice) -> str:
        """With the currency."""
        return money(value, record.currency)

    def render_open_minor(self, value: int, record: Invoice) -> str:
        """With the currency; a settled invoice says so."""
        return money(value, record.currency) if value else "settled"
