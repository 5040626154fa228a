"""The customers of a simulated company: what the books know of them, and the latent payer behind each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.core.ids import key_codes, uniform
from duecourse.science.simulate.names import COLLECTORS, COUNTRIES, INDUSTRIES, Country, plain
from duecourse.science.simulate.pay_calendar import (
    DAILY,
    FIRST_FORTNIGHTLY,
    FIRST_WEEKLY,
    MONTH_END,
    Floats,
    Ints,
)
from duecourse.science.simulate.world import World

T = TypeVar("T")
Codes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Customers:
    """One entry per customer, in the order of ``ids``; the arrays below ``weekly_rate`` are latent (truth).

    ``placed_in``: parents that a stage gives to some customers (index -> parent id) instead of chance.
    """

    ids: list[str]
    codes: Codes
    country: Ints
    terms_days: Ints
    mean_amount: Floats
    weekly_rate: Floats
    kind: Ints
    intercept: Floats
    schedule: Ints
    call_weekday: Ints
    placed_in: Mapping[int, str] = field(default_factory=dict)

    @property
    def currencies(self) -> list[str]:
        """The currency of each customer."""
        return [COUNTRIES[index].currency for index in self.country]


def normal(seed: int, stream: str, codes: Codes) -> Floats:
    """Standard normal numbers keyed by (seed, stream, code)."""
    draws = np.clip(uniform(seed, stream, codes), 1e-12, 1 - 1e-12)
    inverse = NormalDist().inv_cdf
    return np.fromiter((inverse(value) for value in draws.tolist()), dtype=np.float64, count=draws.size)


def choose(draws: Floats, shares: list[float]) -> Ints:
    """Index of the share that each uniform number falls into."""
    edges = np.cumsum(shares)[:-1]
    picked: Ints = np.searchsorted(edges, draws, side="right").astype(np.int64)
    return picked


def make_customers(world: World, count: int, seed: int) -> Customers:
    """``count`` customers; the first n of them are the same whatever ``count`` is."""
    ids = [f"C{number:05d}" for number in range(1, count + 1)]
    codes = key_codes(ids)
    sizes = world.orders.size_sd * normal(seed, "size", codes) - world.orders.size_sd**2 / 2
    rate = np.minimum(world.orders.invoices_per_customer_week * np.exp(sizes), world.orders.weekly_cap)
    terms = np.array(world.terms.days, dtype=np.int64)
    return Customers(
        ids=ids,
        codes=codes,
        country=choose(uniform(seed, "country", codes), [country.share for country in COUNTRIES]),
        terms_days=terms[choose(uniform(seed, "terms", codes), list(world.terms.shares))],
        mean_amount=world.amounts.mean * np.exp(world.amounts.customer_sd * normal(seed, "amount", codes)),
        weekly_rate=rate,
        kind=choose(uniform(seed, "type", codes), [kind.mix for kind in world.types.values()]),
        intercept=world.payer.intercept_sd * normal(seed, "intercept", codes),
        schedule=_schedules(world, seed, codes),
        call_weekday=(5 * uniform(seed, "call day", codes)).astype(np.int64),
    )


def _schedules(world: World, seed: int, codes: Codes) -> Ints:
    runs = world.runs
    sort = choose(uniform(seed, "run", codes), [runs.weekly, runs.fortnightly, runs.month_end, runs.daily])
    phase = uniform(seed, "run day", codes)
    weekly = FIRST_WEEKLY + (5 * phase).astype(np.int64)
    fortnightly = FIRST_FORTNIGHTLY + (10 * phase).astype(np.int64)
    return np.select([sort == 0, sort == 1, sort == 2], [weekly, fortnightly, np.int64(MONTH_END)], np.int64(DAILY))


def customer_frame(customers: Customers, seed: int) -> pl.DataFrame:
    """The ``customers`` table of the ledger."""
    draws = _draws(customers.codes, seed, "parent place family trade form style industry collector limit postcode")
    since = 2010 + (14 * uniform(seed, "since", customers.codes)).astype(np.int64)
    members = parents(customers, seed)
    rows: list[dict[str, Any]] = []
    for at, customer_id in enumerate(customers.ids):
        country = COUNTRIES[customers.country[at]]
        place, region = _pick(country.places, draws["place"][at])
        yearly = customers.weekly_rate[at] * 52 * customers.mean_amount[at]
        rows.append({
            "customer_id": customer_id,
            "name": _company(country, place, {key: float(value[at]) for key, value in draws.items()}),
            "parent_id": members[at],
            "industry": _pick(INDUSTRIES, draws["industry"][at]),
            "country": country.code,
            "region": region,
            "postcode": country.postcode.format(int(10000 + 80000 * draws["postcode"][at]) % 10 ** (
                {"GB": 2, "NL": 4}.get(country.code, 5))),
            "language": country.language,
            "timezone": country.timezone,
            "currency": country.currency,
            "debtor_kind": "sole_trader" if draws["form"][at] > 0.97 else "company",
            "credit_limit_minor": int(round(yearly / 4 * (0.5 + draws["limit"][at]), -3)) * 100 + 100_000,
            "since": f"{since[at]}-{1 + int(12 * draws['limit'][at]):02d}-01",
            "collector": _pick(COLLECTORS, draws["collector"][at]),
            "strategic": bool(yearly > 1_500_000),
            "annual_value_minor": round(float(yearly)) * 100,
        })  # fmt: skip
    return pl.DataFrame(rows).with_columns(pl.col("since").str.to_date())


def contact_frame(customers: Customers, names: pl.Series, seed: int) -> pl.DataFrame:
    """The ``contacts`` table: one to three people per customer, some without consent."""
    rows: list[dict[str, Any]] = []
    how_many = 1 + choose(uniform(seed, "contacts", customers.codes), [0.55, 0.3, 0.15])
    for number, role in enumerate(("payables", "buyer", "executive")):
        draws = _draws(customers.codes, seed, f"first{number} family{number} phone{number} consent{number}")
        for at in np.flatnonzero(how_many > number).tolist():
            country = COUNTRIES[customers.country[at]]
            first = _pick(country.first_names, draws[f"first{number}"][at])
            family = _pick(country.families, draws[f"family{number}"][at])
            digits = int(1000 * draws[f"phone{number}"][at])
            consent = draws[f"consent{number}"][at]
            rows.append({
                "contact_id": f"P{at + 1:05d}-{number + 1}",
                "customer_id": customers.ids[at],
                "name": f"{first} {family}",
                "role": role,
                "email": f"{plain(first)}.{plain(family)}@{plain(names[at])}.example",
                "phone": _phone(country, digits),
                "country": country.code,
                "timezone": country.timezone,
                "language": country.language,
                "preferred_channel": "call" if consent > 0.8 else "email",
                "email_consent": "withdrawn" if consent < 0.01 else "granted" if consent < 0.9 else "unknown",
                "sms_consent": "granted" if consent < 0.3 else "unknown",
                "call_consent": "withdrawn" if 0.01 <= consent < 0.02 else "granted",
            })  # fmt: skip
    return pl.DataFrame(rows)


def _draws(codes: Codes, seed: int, streams: str) -> dict[str, Floats]:
    return {stream: uniform(seed, f"customer {stream}", codes) for stream in streams.split()}


def _pick(options: tuple[T, ...], draw: float) -> T:
    return options[int(draw * len(options))]


def _company(country: Country, place: str, draws: dict[str, float]) -> str:
    family, trade = _pick(country.families, draws["family"]), _pick(country.trades, draws["trade"])
    form, style = _pick(country.legal_forms, draws["form"]), draws["style"]
    if style < 0.45:
        return f"{family} {trade} {form}"
    if style < 0.75:
        return f"{trade} {place} {form}" if country.language != "en" else f"{place} {trade} {form}"
    joint = {"de": "& Söhne", "fr": "Frères", "en": "& Sons", "nl": "& Zonen", "es": "Hermanos"}[country.language]
    return f"{family} {joint} {trade} {form}" if style < 0.9 else f"{place} {family} {form}"


def _phone(country: Country, digits: int) -> str:
    if country.code == "FR":
        return country.phone.format(digits // 100, digits % 100)
    return country.phone.format(digits % 100 if country.code == "US" else digits)


def parents(customers: Customers, seed: int) -> list[str | None]:
    """Parent of each customer: 12 % belong to a group; groups hold customers of one country."""
    in_group = uniform(seed, "customer parent", customers.codes) < 0.12
    groups = max(1, len(customers.ids) // 45)
    group = (uniform(seed, "group", customers.codes) ** 1.5 * groups).astype(np.int64)
    drawn = [
        f"G{COUNTRIES[country].code}{number + 1:03d}" if member else None
        for member, country, number in zip(in_group.tolist(), customers.country, group.tolist(), strict=True)
    ]
    return [customers.placed_in.get(at, parent) for at, parent in enumerate(drawn)]
