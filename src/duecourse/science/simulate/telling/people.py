"""``customers`` and ``contacts`` as a whole office knows them: parents, addresses, mobiles, people who have left."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl

from duecourse.science.simulate.names import COUNTRIES, Country, plain
from duecourse.science.simulate.telling.keyed import Fortune, Luck
from duecourse.science.simulate.telling.papers import holding_name

MANAGERS = ("T. Winslade", "R. Aumeier", "C. Delmas", "K. Ashgrove")
MOBILE_SHARE, LEFT_SHARE, OWNER_SHARE = 0.6, 0.07, 0.12
_MOBILE = {"DE": "+49 171 3920{:03d}", "GB": "+44 7700 900{:03d}", "FR": "+33 6 39 98 {:02d} {:02d}",
           "US": "+1 312 555 01{:02d}"}  # fmt: skip


def told_customers(customers: pl.DataFrame, luck: Luck) -> pl.DataFrame:
    """``customers`` with their account managers, and a row for every parent that is none of them."""
    at = luck.whole("account manager", customers["customer_id"], len(MANAGERS))
    told = customers.with_columns(
        pl.Series("account_manager", [MANAGERS[each] for each in at.tolist()], dtype=pl.String)
    )
    known = set(customers["customer_id"])
    members = customers.filter(pl.col("parent_id").is_not_null() & ~pl.col("parent_id").is_in(list(known)))
    if not members.height:
        return told
    parents = members.sort("customer_id").group_by("parent_id", maintain_order=True).agg(
        pl.col("country", "language", "timezone", "currency", "region", "postcode", "industry", "collector").first(),
        pl.col("since").min(),
        pl.col("annual_value_minor").sum(),
    )  # fmt: skip
    rows = parents.with_columns(
        pl.col("parent_id").alias("customer_id"),
        pl.Series("name", [holding_name(each, luck) for each in parents["parent_id"]], dtype=pl.String),
        pl.lit("company").alias("debtor_kind"), pl.lit(None).cast(pl.String).alias("parent_id"),
    )  # fmt: skip
    return pl.concat([told, rows], how="diagonal")


def told_contacts(contacts: pl.DataFrame, customers: pl.DataFrame, luck: Luck, as_of: date) -> pl.DataFrame:
    """``contacts`` with mobile, address and postcode; some owners, and people who left (``voided_at``)."""
    about = {row["customer_id"]: row for row in customers.iter_rows(named=True)}
    mobiles, addresses, postcodes = [], [], []
    for own, owner in contacts.select("contact_id", "customer_id").iter_rows():
        fortune, home = luck.own(own), luck.own(f"address {owner}")
        country = _country(about[owner]["country"])
        has = country.code in _MOBILE and fortune.chance("mobile", MOBILE_SHARE)
        mobiles.append(_mobile(country.code, fortune) if has else None)
        addresses.append(_address(country, about[owner]["region"], home))
        postcodes.append(about[owner]["postcode"])
    told = contacts.with_columns(
        pl.Series("mobile", mobiles, dtype=pl.String), pl.Series("address", addresses, dtype=pl.String),
        pl.Series("postcode", postcodes, dtype=pl.String),
    )  # fmt: skip
    more = _others(told, about, luck, as_of)
    return pl.concat([told, pl.DataFrame(more, schema=told.schema)])


def _others(contacts: pl.DataFrame, about: dict[str, dict[str, Any]], luck: Luck, as_of: date) -> list[dict[str, Any]]:
    """An owner at some, somebody who left at others; neither is ever written to by this house."""
    rows = []
    firsts = contacts.unique("customer_id", keep="first", maintain_order=True)
    for base in firsts.iter_rows(named=True):
        fortune = luck.own(f"other {base['customer_id']}")
        country = _country(about[base["customer_id"]]["country"])
        number = base["contact_id"].split("-")[0]
        if fortune.chance("owner", OWNER_SHARE):
            rows.append(_person(base, f"{number}-8", "owner", country, fortune) | {"email_consent": "unknown"})
        if fortune.chance("left", LEFT_SHARE):
            day = as_of - timedelta(days=400 + fortune.below("left days", 700))
            left = datetime.combine(day, time(9), tzinfo=UTC)
            rows.append(_person(base, f"{number}-9", "other", country, fortune) | {
                "recorded_at": left - timedelta(days=900), "voided_at": left,
            })  # fmt: skip
    return rows


def _person(base: dict[str, Any], contact_id: str, role: str, country: Country, fortune: Fortune) -> dict[str, Any]:
    first, family = fortune.pick(f"{role} first", country.first_names), fortune.pick(f"{role} family", country.families)
    domain = (base["email"] or "").rpartition("@")[2]
    return base | {
        "contact_id": contact_id, "role": role, "name": f"{first} {family}", "mobile": None, "recorded_at": None,
        "email": f"{plain(first)}.{plain(family)}@{domain}", "sms_consent": "unknown", "call_consent": "unknown",
        "preferred_channel": None,
    }  # fmt: skip


def _country(code: str | None) -> Country:
    return next((each for each in COUNTRIES if each.code == code), COUNTRIES[0])


def _mobile(code: str, fortune: Fortune) -> str:
    number = fortune.below("mobile number", 10_000)
    if code == "FR":
        return _MOBILE["FR"].format(number // 100, number % 100)
    return _MOBILE[code].format(number % (100 if code == "US" else 1000))


def _address(country: Country, region: str | None, fortune: Fortune) -> str:
    """Street, number and a place of the customer's region."""
    street, number = fortune.pick("street", country.streets), 1 + fortune.below("number", 140)
    places = [place for place, where in country.places if where == region]
    place = fortune.pick("place", places or [each for each, _ in country.places])
    shown = f"{street} {number}" if country.code in ("DE", "NL", "ES") else f"{number} {street}"
    return f"{shown}, {place}"
