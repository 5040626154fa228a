"""The forms about the books."""

from __future__ import annotations

from zoneinfo import available_timezones

from django import forms

from duecourse.core.money import CURRENCIES

DAY = forms.DateInput(attrs={"type": "date"})
# Words that stand where a code stands in an address.
RESERVED_CODES = frozenset({"open", "loads"})


class EntityForm(forms.Form):
    """Name and time zone of a legal entity."""

    name = forms.CharField(max_length=120, help_text="As it stands on its invoices.")
    timezone = forms.CharField(
        label="Time zone", max_length=60, initial="Europe/Berlin",
        help_text="An IANA name such as Europe/Berlin: it decides when a day begins.",
    )  # fmt: skip

    def clean_timezone(self) -> str:
        """The time zone, if there is one of that name."""
        name = str(self.cleaned_data["timezone"])
        if name not in available_timezones():
            raise forms.ValidationError("There is no such time zone: write an IANA name such as Europe/Berlin.")
        return name


class NewEntityForm(EntityForm):
    """A legal entity whose books are opened."""

    code = forms.SlugField(
        label="Short code", max_length=40, help_text="Letters, digits and hyphens; it stands in addresses for good."
    )
    currency = forms.CharField(
        label="Currency", min_length=3, max_length=3, initial="EUR", help_text="ISO 4217, such as EUR; fixed for good."
    )
    field_order = ("name", "code", "currency", "timezone")

    def clean_code(self) -> str:
        """The code in small letters."""
        code = str(self.cleaned_data["code"]).lower()
        if code in RESERVED_CODES:
            raise forms.ValidationError(f"The code {code} is used by a page; choose another.")
        return code

    def clean_currency(self) -> str:
        """The currency, if there is one of that code."""
        currency = str(self.cleaned_data["currency"]).upper()
        if currency not in CURRENCIES:
            raise forms.ValidationError("There is no such currency: write its three letters, such as EUR.")
        return currency


class InvoiceSearch(forms.Form):
    """By what the list of invoices is narrowed."""

    q = forms.CharField(label="Invoice or customer", required=False, max_length=120)
    due_from = forms.DateField(required=False, widget=DAY)
    due_to = forms.DateField(required=False, widget=DAY)
