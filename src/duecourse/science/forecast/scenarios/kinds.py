"""The kinds of steps that a scenario file knows: the keys of each, and how its checked values become a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from duecourse.core.money import to_minor
from duecourse.science.forecast.scenarios import fields
from duecourse.science.forecast.scenarios.fields import Key
from duecourse.science.forecast.scenarios.steps import (
    Collections,
    Customers,
    Delay,
    Discount,
    Loss,
    NewBusiness,
    PlannedInvoice,
    Shock,
    Step,
    Terms,
    Volume,
)

Found = Mapping[str, Any]

_WHO = Key('a list of customer ids or names, or "all"', fields.customers)
_NAMED = Key("a list of customer ids or names", fields.texts)
_TOP = Key("how many of the largest customers, 1 to 50", fields.whole(1, 50), required=False)
_FROM = Key("a date such as 2026-04-01, without quotes", fields.day)
_NET = Key("whole days from 0 to 365", fields.whole(0, 365))
_DAYS = Key("whole days from 1 to 365", fields.whole(1, 365))
_AMOUNT = Key("an amount above 0 such as 50000.00", fields.positive_amount)
_CURRENCY = Key('an ISO 4217 code such as "EUR"', fields.currency)
_NAME = Key("a customer's id or name, as text", fields.text)
_FLAG = Key("true or false", fields.flag, required=False)
_FACTOR = Key("a factor from 0 to 100, for example 1.2", fields.between(0, 100))

KINDS: Mapping[str, Mapping[str, Key]] = {
    "terms": {
        "customers": _WHO, "from": _FROM, "to_net": _NET, "from_net": _NET.optional(), "open_invoices": _FLAG,
    },
    "discount": {
        "customers": _WHO, "from": _FROM,
        "percent": Key("a percentage from 0.01 to 50", fields.between(0.01, 50)),
        "days": Key("whole days from 0 to 180", fields.whole(0, 180)), "net": _NET.optional(),
        "take_up": Key("a share from 0 to 1, or [lowest, highest]", fields.share_range, required=False),
        "real_pay_days": _DAYS.optional(), "volume_a_month": _AMOUNT.optional(), "currency": _CURRENCY.optional(),
    },
    "delay": {"customers": _NAMED.optional(), "top": _TOP, "days": _DAYS, "from": _FROM.optional()},
    "loss": {
        "customers": _NAMED.optional(), "top": _TOP, "from": _FROM.optional(),
        "open_invoices": Key('"never" or "paid"', fields.one_of("never", "paid"), required=False),
    },
    "shock": {
        "severity": Key("1 or 2 (standard deviations late)", fields.whole(1, 2)),
        "inflow_factor": _FACTOR.optional(), "never": _NAMED.optional(),
    },
    "volume": {"factor": _FACTOR, "from": _FROM, "customers": Key(_WHO.expected, _WHO.check, required=False)},
    "prospects": {
        "names": Key("a list of different names", fields.texts), "amount": _AMOUNT, "currency": _CURRENCY,
        "first_issue": _FROM, "terms_days": _NET,
        "every": Key('"month", "week" or "once"', fields.one_of("month", "week", "once"), required=False),
        "count": Key("a whole number from 1 to 100", fields.whole(1, 100), required=False),
        "like": _NAME.optional(), "in_base": _FLAG,
    },
    "invoices": {
        "invoices": Key("a list of tables with customer, amount, currency, issued_on, terms_days", fields.tables),
        "like": _NAME.optional(), "in_base": _FLAG,
    },
    "collections": {
        "customers": Key(_WHO.expected, _WHO.check, required=False), "from": _FROM.optional(),
        "uplift": Key("the name of an uplift file beside this one", fields.text, required=False),
    },
}  # fmt: skip

INVOICE_KEYS = {
    "customer": _NAME, "amount": _AMOUNT, "currency": _CURRENCY, "issued_on": _FROM, "terms_days": _NET,
}  # fmt: skip


def step_of(kind: str, place: str, found: Found) -> Step:
    """The step of checked values. Raises ValueError(key, expected) where they do not fit together."""
    return _BUILDERS[kind](place, found)


def _terms(place: str, found: Found) -> Step:
    if found.get("from_net") == found["to_net"]:
        raise ValueError("to_net", "other terms than from_net")
    return Terms(
        place=place,
        customers=found["customers"],
        start=found["from"],
        to_net=found["to_net"],
        from_net=found.get("from_net"),
        open_invoices=found.get("open_invoices", False),
    )


def _discount(place: str, found: Found) -> Step:
    if found.get("net") is not None and found["net"] <= found["days"]:
        raise ValueError("net", "more days than the discount allows")
    if found.get("real_pay_days") is not None and found["real_pay_days"] <= found["days"]:
        raise ValueError("real_pay_days", "a day after the discount's last day")
    volume, currency = found.get("volume_a_month"), found.get("currency")
    if (volume is None) != (currency is None):
        raise ValueError("currency" if currency is None else "volume_a_month", "both volume_a_month and currency")
    return Discount(
        place=place,
        customers=found["customers"],
        start=found["from"],
        percent=found["percent"],
        days=found["days"],
        net=found.get("net"),
        take_up=found.get("take_up"),
        real_pay_days=found.get("real_pay_days"),
        monthly_volume_minor=None if volume is None else _minor(volume, str(currency), "volume_a_month"),
        currency=currency,
    )


def _chosen(found: Found) -> Customers:
    if ("customers" in found) == ("top" in found):
        raise ValueError("customers", "either customers or top")
    return Customers(names=found.get("customers", ()), top=found.get("top", 0))


def _delay(place: str, found: Found) -> Step:
    return Delay(place=place, customers=_chosen(found), days=found["days"], start=found.get("from"))


def _loss(place: str, found: Found) -> Step:
    return Loss(
        place=place,
        customers=_chosen(found),
        start=found.get("from"),
        open_invoices=found.get("open_invoices", "never"),
    )


def _shock(place: str, found: Found) -> Step:
    return Shock(
        place=place,
        severity=found["severity"],
        inflow_factor=found.get("inflow_factor", 1.0),
        never=found.get("never", ()),
    )


def _volume(place: str, found: Found) -> Step:
    return Volume(
        place=place, customers=found.get("customers", Customers()), start=found["from"], factor=found["factor"]
    )


def _prospects(place: str, found: Found) -> Step:
    every, amount_minor = found.get("every", "month"), _minor(found["amount"], found["currency"], "amount")
    if every == "once" and found.get("count", 1) != 1:
        raise ValueError("count", 'no count with every = "once"')
    invoices = tuple(
        PlannedInvoice(
            customer=name,
            issued_on=issue_day(found["first_issue"], every, number),
            amount_minor=amount_minor,
            currency=found["currency"],
            terms_days=found["terms_days"],
        )
        for name in found["names"]
        for number in range(found.get("count", 1))
    )
    return NewBusiness(
        place=place,
        invoices=invoices,
        repeats="once" if "count" in found else every,
        like=found.get("like"),
        in_base=found.get("in_base", False),
    )


def _invoices(place: str, found: Found) -> Step:
    invoices = tuple(_planned(entry, number) for number, entry in enumerate(found["invoices"], start=1))
    return NewBusiness(place=place, invoices=invoices, like=found.get("like"), in_base=found.get("in_base", False))


def _planned(entry: object, number: int) -> PlannedInvoice:
    where = f"invoices, entry {number}"
    if not isinstance(entry, dict):
        raise ValueError(where, "a table with " + ", ".join(INVOICE_KEYS))
    unknown = sorted(set(entry) - set(INVOICE_KEYS))
    if unknown:
        raise ValueError(f"{where}, {unknown[0]}", "one of " + ", ".join(INVOICE_KEYS))
    values = {}
    for name, key in INVOICE_KEYS.items():
        try:
            values[name] = key.check(entry[name])
        except (KeyError, ValueError, TypeError):
            raise ValueError(f"{where}, {name}", key.expected) from None
    return PlannedInvoice(
        customer=values["customer"],
        issued_on=values["issued_on"],
        amount_minor=_minor(values["amount"], values["currency"], f"{where}, amount"),
        currency=values["currency"],
        terms_days=values["terms_days"],
    )


def _collections(place: str, found: Found) -> Step:
    return Collections(
        place=place,
        customers=found.get("customers", Customers()),
        start=found.get("from"),
        uplift_file=found.get("uplift"),
    )


def _minor(amount: Decimal, currency: str, key: str) -> int:
    try:
        minor = to_minor(amount, currency)
    except ValueError as error:
        raise ValueError(key, str(error)) from None
    if minor > 10**15:
        raise ValueError(key, "an amount of at most 10,000,000,000,000")
    return minor


def issue_day(first: date, every: str, number: int) -> date:
    """The day of invoice ``number`` (0 = the first): the same day of each month (the last where it is shorter)."""
    if every != "month":
        return first + timedelta(days=7 * number)
    month = first.month - 1 + number
    year, month = first.year + month // 12, month % 12 + 1
    following = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, min(first.day, (following - timedelta(days=1)).day))


_BUILDERS: Mapping[str, Callable[[str, Found], Step]] = {
    "terms": _terms,
    "discount": _discount,
    "delay": _delay,
    "loss": _loss,
    "shock": _shock,
    "volume": _volume,
    "prospects": _prospects,
    "invoices": _invoices,
    "collections": _collections,
}
