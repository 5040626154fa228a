"""Spellings of one customer are proposed; what only looks alike is kept apart; nothing is merged without a yes."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from duecourse.core.errors import BadInput
from duecourse.ledger.importing import ImportOptions, import_files
from duecourse.ledger.importing.names import clusters, confirmed_merges, core_of
from support.exports import write


def together(*names: str) -> list[list[str]]:
    return [[names[i] for i in group] for group in clusters(names)]


def test_legal_forms_case_accents_and_blanks_do_not_make_another_customer() -> None:
    assert together("Birch GmbH", "BIRCH  gmbh & Co. KG", "Cedar Ltd", "Bïrch", "Cedar Tools") == [
        ["Birch GmbH", "BIRCH  gmbh & Co. KG", "Bïrch"]
    ]


def test_a_misspelling_of_a_long_name_is_proposed() -> None:
    assert together("Northwind Traders", "Nortwind Traders Ltd", "Southwind Traders") == [
        ["Northwind Traders", "Nortwind Traders Ltd"]
    ]


def test_numbers_and_short_names_keep_customers_apart() -> None:
    assert together("Store 12 Holdings", "Store 13 Holdings", "Nature Inc", "Natura Inc", "A1 Ltd", "A2 Ltd") == []


def test_the_first_word_is_never_empty() -> None:
    assert core_of("The Group Ltd") == "the"
    assert core_of("US Foods Inc") == "us foods"
    assert core_of("The Walt Disney Company") == "walt disney"
    assert core_of("") == ""


EXPORT = (
    "Invoice No,Customer,Invoice Date,Due Date,Amount,Currency",
    "1,Birch Ltd,2026-01-01,2026-01-31,10,EUR",
    "2,Birch Ltd,2026-01-02,2026-01-31,10,EUR",
    "3,BIRCH LIMITED,2026-01-03,2026-01-31,10,EUR",
)


def test_proposals_change_nothing_until_they_are_confirmed(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", *EXPORT)
    first = import_files([path])
    assert first.ledger.table("customers").height == 2
    assert first.name_proposals.select("customer_id", "proposed_customer_id", "confirm").rows() == [
        ("BIRCH LIMITED", "Birch Ltd", "")
    ]
    answered = tmp_path / "answers.csv"
    first.name_proposals.with_columns(pl.lit("yes").alias("confirm")).write_csv(answered)
    second = import_files([path], options=ImportOptions(confirmed_names=answered))
    assert second.ledger.table("customers").get_column("customer_id").to_list() == ["Birch Ltd"]
    assert set(second.ledger.table("invoices").get_column("customer_id")) == {"Birch Ltd"}
    assert second.name_proposals.height == 0
    first.name_proposals.write_csv(answered)  # a blank answer is no yes
    assert import_files([path], options=ImportOptions(confirmed_names=answered)).ledger.table("customers").height == 2


def test_chains_are_followed_and_circles_refused(tmp_path: Path) -> None:
    header = "customer_id,proposed_customer_id,confirm"
    assert confirmed_merges(write(tmp_path, "a.csv", header, "a,b,yes", "b,c,yes", "x,y,no")) == {"a": "c", "b": "c"}
    with pytest.raises(BadInput, match="circle"):
        confirmed_merges(write(tmp_path, "b.csv", header, "a,b,yes", "b,a,yes"))
    with pytest.raises(BadInput, match="cannot be read"):
        confirmed_merges(write(tmp_path, "c.csv", header, "a,b,perhaps"))
    with pytest.raises(BadInput, match="no list of name proposals"):
        confirmed_merges(write(tmp_path, "d.csv", "a,b", "1,2"))
