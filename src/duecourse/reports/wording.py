"""How figures, dates and the trade's codes are written on a page, for one locale."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date
from babel.numbers import NumberPattern, format_compact_currency, format_decimal
from markupsafe import Markup, escape

from duecourse.core.money import CURRENCIES, Money, from_minor

NONE = "–"
NO_CURRENCY = "an unknown currency"

ARMS = {
    "none": "No contact",
    "email_soft": "E-mail, friendly",
    "email_neutral": "E-mail, neutral",
    "email_firm": "E-mail, firm",
    "sms_soft": "Text message, friendly",
    "letter_formal": "Formal letter",
    "call_service": "Service call",
    "call_firm": "Firm call",
    "call_plan": "Call to agree a plan",
    "email_discount": "E-mail with early-payment discount",
    "send_documents": "Send the documents",
    "route_dispute": "Route the dispute",
    "escalate": "Escalate to a person",
}
RUNGS = {
    "model": "the payment-timing model",
    "customer_history": "each customer's own history",
    "book": "the history of the whole book",
    "terms": "the payment terms and a wide prior",
}


def predicted_by(rung: str, open_invoices: int) -> str:
    """Who speaks on a page, by the rung of most invoices; where nothing is open, that there was nothing to predict."""
    return f"predicted by {RUNGS.get(rung, rung)}" if open_invoices else "nothing is open, so nothing is predicted"


SILENCES = {
    "deferred": "Not their turn, or nothing is due yet",
    "self_cure": "Expected to pay without a contact",
    "masked": "No contact is allowed or available now",
    "capacity": "No minutes left; others gain more per minute",
    "nothing_collectible": "Nothing may be asked for: disputed, promised or covered by cash on account",
    "no_gain": "A contact would cost more than it brings",
    "by_lot": "Left out by lot, so that the effect of contacts can be measured",
}
SEGMENTS = {
    "prompt": ("Prompt", "at most 15 % of the last 12 months' invoices later than 5 days"),
    "occasional": ("Occasional", "between prompt and chronic"),
    "chronic": ("Chronic", "60 % or more later than 5 days, or more than 15 days late on average"),
    "new": ("New", "fewer than 3 cleared invoices in 12 months"),
}
BASELINES = {
    "due_date": "Due date",
    "customer_median": "Customer median",
    "customer_empirical": "Customer's own payments",
    "customer_history": "Customer's history, unpaid counted",
    "book": "Book's delays by terms and amount",
    "lgbm_l2": "LightGBM regression",
    "lgbm_quantile": "LightGBM quantiles",
    "ladder": "Promise, else predicted, else due",
    "model": "duecourse model",
}


def humane(code: str) -> str:
    """A stored code as words: ``email_soft`` -> ``Email soft``; a text with blanks stays as it is."""
    if " " in code or not code:
        return code
    words = code.replace("_", " ")
    return words[0].upper() + words[1:]


def sentence(text: str) -> str:
    """The text as a sentence: a capital first, a full stop last."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?:" else ".")


def arm(code: str) -> str:
    """The action's name for people; an arm that is not in the vocabulary shows its code in words."""
    return ARMS.get(code, humane(code))


def silence(code: str) -> str:
    """Why a customer is left alone, in words."""
    return SILENCES.get(code, humane(code))


def method(code: str) -> str:
    """The name of a prediction method for people."""
    return BASELINES.get(code, humane(code))


def segment(code: str) -> str:
    """The behaviour segment's name for people."""
    return SEGMENTS.get(code, (humane(code), ""))[0]


@lru_cache(maxsize=64)
def _whole_pattern(locale: str) -> tuple[Locale, NumberPattern]:
    """The locale's own currency pattern without decimals."""
    parsed = Locale.parse(locale)
    pattern = copy(parsed.currency_formats["standard"])
    pattern.frac_prec = (0, 0)
    return parsed, pattern


@dataclass(frozen=True, slots=True)
class Wording:
    """Writes numbers, money and dates as people of ``locale`` do (CLDR through Babel); ``as_of`` anchors days."""

    locale: str = "en_US"

    def money(self, minor: int | float | None, currency: str) -> str:
        """Whole units, half up: ``$12,346``; for tables, where cents only add noise. The exact sum is in ``exact``."""
        if minor is None:
            return NONE
        if currency not in CURRENCIES:
            return self._units(minor, currency)
        whole = from_minor(round(minor), currency).to_integral_value(rounding=ROUND_HALF_UP)
        locale, pattern = _whole_pattern(self.locale)
        return str(pattern.apply(whole, locale, currency=currency, currency_digits=False))

    def exact(self, minor: int | None, currency: str) -> str:
        """The exact amount with all decimals of the currency: ``$12,345.67``."""
        if minor is None:
            return NONE
        return Money(minor, currency).format(self.locale) if currency in CURRENCIES else self._units(minor, currency)

    def _units(self, minor: float, currency: str) -> str:
        """An amount in a currency that ISO 4217 does not list: its decimals are unknown, so minor units are shown."""
        return f"{self.count(minor)} minor units of {currency}"

    def short(self, minor: int | float | None, currency: str) -> str:
        """Three leading digits for headlines and axes: ``$52.9M``."""
        if minor is None:
            return NONE
        if currency not in CURRENCIES:
            return self._units(minor, currency)
        amount = from_minor(round(minor), currency)
        digits = 0 if abs(amount) < 1000 else 1 if abs(amount) < 1_000_000 else 2
        return str(format_compact_currency(amount, currency, locale=self.locale, fraction_digits=digits))

    def amount(self, minor: int | None, currency: str) -> Markup:
        """A table figure: whole units to read, the exact amount on hover."""
        return Markup('<span title="{}">{}</span>').format(self.exact(minor, currency), self.money(minor, currency))

    def count(self, value: float | None) -> str:
        """A whole number with thousands apart."""
        return NONE if value is None else str(format_decimal(round(value), locale=self.locale))

    def number(self, value: float | None, decimals: int = 1) -> str:
        """A number with fixed decimals, so that columns align."""
        if value is None:
            return NONE
        zeros = "." + "0" * decimals if decimals else ""
        return str(format_decimal(value, format=f"#,##0{zeros}", locale=self.locale))

    def percent(self, share: float | None, decimals: int = 0) -> str:
        """A share 0..1 as percent."""
        return NONE if share is None else f"{self.number(share * 100, decimals)} %"

    def days(self, value: float | None, decimals: int = 1) -> str:
        """A number of days: ``4.0 days``, ``1 day``."""
        if value is None:
            return NONE
        return f"{self.number(value, decimals)} {'day' if decimals == 0 and round(value) == 1 else 'days'}"

    def lateness(self, days_late: int | None) -> str:
        """``15 days late``, ``due in 3 days``, ``due today``."""
        if days_late is None:
            return NONE
        if days_late == 0:
            return "due today"
        return f"{self.days(days_late, 0)} late" if days_late > 0 else f"due in {self.days(-days_late, 0)}"

    def habit(self, days_late: int | None) -> str:
        """When a customer usually pays: ``5 days early``, ``on the due date``, ``12 days late``."""
        if days_late is None:
            return NONE
        if days_late == 0:
            return "on the due date"
        return f"{self.days(abs(days_late), 0)} {'late' if days_late > 0 else 'early'}"

    def day_text(self, day: date | str | None) -> str:
        """A date in words for running text: ``1 Sep 2019`` in an English locale."""
        if day is None or day == "":
            return NONE
        value = date.fromisoformat(day[:10]) if isinstance(day, str) else day
        return str(format_date(value, format="d MMM y", locale=self.locale))

    def short_day(self, day: date) -> str:
        """Day and month alone, for axes."""
        return str(format_date(day, format="d MMM", locale=self.locale))

    def short_month(self, day: date) -> str:
        """Month and two-digit year, for axes."""
        return str(format_date(day, format="MMM yy", locale=self.locale))

    def day(self, day: date | datetime | str | None) -> Markup:
        """A date for people with the ISO date for machines and on hover."""
        if day is None or day == "":
            return escape(NONE)
        if isinstance(day, str):
            iso = day[:10]
        elif isinstance(day, datetime):
            iso = day.date().isoformat()
        else:
            iso = day.isoformat()
        return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(iso, self.day_text(iso))

    def moment(self, when: datetime | str | None, zone: str = "") -> Markup:
        """A moment in the receiver's own time with the ISO form; UTC where the zone is not known."""
        if when is None or when == "":
            return escape(NONE)
        value = datetime.fromisoformat(when) if isinstance(when, str) else when
        value = value if value.tzinfo else value.replace(tzinfo=UTC)
        try:
            local = value.astimezone(ZoneInfo(zone or "UTC"))
        except (ZoneInfoNotFoundError, ValueError):
            local = value.astimezone(UTC)
        text = f"{self.day_text(local.date())}, {local:%H:%M} {local.tzname()}"
        return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(local.isoformat(), text)

    def plural(self, count: int, one: str, many: str = "") -> str:
        """``1 invoice``, ``2 invoices``."""
        return f"{self.count(count)} {one if count == 1 else many or one + 's'}"
