"""A told ledger: whole, the same facts as the plain one, nothing of the future, the same words each time."""

import polars as pl
import pytest

from duecourse.ledger.as_of import Ledger
from duecourse.ledger.checks import invariant_problems
from duecourse.ledger.schema import TABLES
from duecourse.science.simulate.living import ledger_of
from duecourse.science.simulate.living.background import background_of
from duecourse.science.simulate.living.policies.simple import RandomLog
from duecourse.science.simulate.names import COUNTRIES
from duecourse.science.simulate.pay_calendar import to_date
from duecourse.science.simulate.telling import REWRITTEN, Told, tell
from support.told_companies import quiet_company, small_house, told_company, told_house

COMPANIES = ("house", "company")


def _pair(which: str) -> tuple[Ledger, Told]:
    if which == "house":
        return ledger_of(small_house()), told_house()
    return quiet_company().ledger, told_company()


@pytest.mark.parametrize("which", COMPANIES)
def test_every_fact_of_the_plain_ledger_stands_as_it_was(which: str) -> None:
    """Rows keep each value they had; only what was empty is filled, and the two columns of REWRITTEN."""
    plain, told = _pair(which)
    for name, before in plain.tables.items():
        key = [*TABLES[name].key, "recorded_at"]
        kept = [column for column in before.columns if column not in REWRITTEN.get(name, ())]
        after = told.ledger.table(name).select(kept)
        both = before.select(kept).with_row_index().join(after, on=key, how="left", nulls_equal=True, suffix=" after")
        assert both.height == before.height, name
        for column in set(kept) - set(key):
            filled = both.filter(pl.col(column).is_not_null())
            assert filled[column].equals(filled[f"{column} after"].rename(column)), f"{name}.{column}"


@pytest.mark.parametrize("which", COMPANIES)
def test_the_told_ledger_keeps_the_invariants_and_knows_nothing_of_later_days(which: str) -> None:
    _, told = _pair(which)
    assert invariant_problems(told.ledger) == ()
    end = to_date(small_house().week * 7 - 3) if which == "house" else quiet_company().truth.company.world.ends_on
    for name, frame in told.ledger.tables.items():
        own = TABLES[name].known_from
        if "recorded_at" not in frame.columns:
            continue
        recorded = frame.filter(pl.col("recorded_at").is_not_null())
        assert recorded.filter(pl.col("recorded_at").dt.date() >= end).height == 0, name
        if own is not None:
            assert recorded.filter(pl.col("recorded_at").dt.date() < pl.col(own).cast(pl.Date)).height == 0, name
    for name, column in (("invoices", "delivered_on"), ("payments", "voided_at"), ("contacts", "voided_at")):
        assert told.ledger.table(name).filter(pl.col(column).cast(pl.Date) >= end).height == 0, name


@pytest.mark.parametrize("which", COMPANIES)
def test_no_table_is_empty_and_the_columns_of_the_contract_are_filled(which: str) -> None:
    _, told = _pair(which)
    for name in ("invoice_lines", "activities", "disputes", "promises", "payments", "contacts"):
        assert told.ledger.table(name).height > 10, name
    for name, columns in {
        "invoices": "entity_id order_reference recurring delivery_channel delivered_on",
        "payments": "payer_name reference remittance_text bank_account payer_account",
        "contacts": "mobile address postcode", "activities": "contact_id text", "disputes": "owner root_cause",
        "promises": "quote", "customers": "account_manager",
    }.items():  # fmt: skip
        for column in columns.split():
            assert told.ledger.table(name)[column].drop_nulls().len() > 0, f"{name}.{column}"
    assert told.ledger.table("activities").filter(pl.col("text").is_null()).height == 0


def test_a_later_ledger_tells_the_earlier_one_in_the_same_words() -> None:
    later = small_house().copied()
    for _ in range(2):
        later.apply(RandomLog()(later.book(), later.capacity, later.week))
    before, after = told_house().ledger, tell(ledger_of(later), background_of(later)).ledger
    monday = to_date(small_house().week * 7 - 3)
    for name in ("invoices", "payments", "activities", "promises", "disputes", "plans", "invoice_lines"):
        again = after.table(name)
        key = list(TABLES[name].key)
        if "recorded_at" in again.columns:
            again = again.filter(pl.col("recorded_at").dt.date() < monday)
            key.append("recorded_at")
        else:
            again = again.join(before.table("invoices").select("invoice_id").unique(), on="invoice_id", how="semi")
        drop = [column for column in ("delivered_on", "voided_at") if column in again.columns]  # become known later
        earlier = before.table(name).drop(drop).sort(key)
        assert earlier.equals(again.drop(drop).sort(key), null_equal=True), name


def test_the_same_ledger_is_told_in_the_same_words() -> None:
    again = tell(ledger_of(small_house()), background_of(small_house()))
    for name, frame in told_house().ledger.tables.items():
        assert frame.equals(again.ledger.table(name), null_equal=True), name
    for name, frame in told_house().truth.items():
        assert frame.equals(again.truth[name], null_equal=True), name


def test_parents_stand_in_the_ledger_under_names_of_their_own() -> None:
    plain, told = _pair("house")
    wanted = set(plain.table("customers")["parent_id"].drop_nulls())
    parents = told.ledger.table("customers").filter(pl.col("customer_id").is_in(list(wanted)))
    assert set(parents["customer_id"]) == wanted
    assert parents["name"].n_unique() == parents.height > 2
    assert parents["parent_id"].null_count() == parents.height
    people = told.ledger.table("contacts").filter(pl.col("customer_id").is_in(list(wanted)))
    assert people.height == 0  # consents are those of the members: nobody is written to at a parent


def test_an_address_lies_in_the_region_of_its_customer() -> None:
    _, told = _pair("house")
    regions = {place: region for country in COUNTRIES for place, region in country.places}
    both = told.ledger.table("contacts").join(
        told.ledger.table("customers").select("customer_id", "region"), on="customer_id"
    )  # fmt: skip
    assert both.height > 100
    for address, region in both.select("address", "region").iter_rows():
        assert regions[address.rpartition(", ")[2]] == region
