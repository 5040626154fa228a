"""Bank statements of a told ledger: one truth in four formats, opening + lines = closing in each."""

import csv
import io
from collections import defaultdict
from datetime import date
from xml.etree import ElementTree

import polars as pl
import pytest

from duecourse.science.simulate.telling.keyed import Luck
from duecourse.science.simulate.telling.statements import (
    Statement,
    bai2,
    bank_files,
    bank_lines,
    camt053,
    csv_export,
    mt940,
    statements,
)
from support.told_companies import told_house

SINCE, UNTIL = date(2024, 12, 1), date(2025, 3, 3)


@pytest.fixture(scope="module")
def cut() -> list[Statement]:
    return list(statements(bank_lines(told_house().ledger.table("payments"), Luck(2), UNTIL), SINCE))


def test_every_payment_is_a_line_once_and_the_balances_follow_each_other(cut: list[Statement]) -> None:
    payments = told_house().ledger.table("payments")
    lines = bank_lines(payments, Luck(2), UNTIL)
    assert lines["line_id"].n_unique() == lines.height
    received = lines.filter(pl.col("kind") == "payment")
    first = payments.unique("payment_id")
    assert received.height == first.height
    assert received["amount_minor"].sum() == first["amount_minor"].sum()
    back = lines.filter(pl.col("kind").is_in(["returned", "refund"]))
    assert (back["amount_minor"] < 0).all()
    other = lines.filter(~pl.col("kind").is_in(["payment", "returned", "refund", "treasury"]))
    assert 0.02 < other.height / lines.height < 0.09
    last: dict[str, int] = {}
    for one in cut:
        assert one.opening == last.get(one.account, one.opening)
        last[one.account] = one.closing
    assert len(last) == 3


def test_camt_sums_from_the_opening_to_the_closing_balance(cut: list[Statement]) -> None:
    for one in cut:
        root = ElementTree.fromstring(camt053(one))  # noqa: S314 - our own text
        space = {"c": "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"}
        opening, closing = (_signed(each) for each in root.findall(".//c:Bal", space))
        entries = root.findall(".//c:Ntry", space)
        assert opening + sum(_signed(each) for each in entries) == closing == one.closing
        details = root.findall(".//c:TxDtls", space)
        assert len(details) == len(one.lines)
        for entry in entries:
            assert _signed(entry) == sum(_signed(each) for each in entry.findall(".//c:TxDtls", space))
        said = ["".join(part.text or "" for part in each.findall(".//c:Ustrd", space)) for each in details]
        assert said == [line["text"] for line in one.lines]


def _signed(element: ElementTree.Element) -> int:
    space = "{urn:iso:std:iso:20022:tech:xsd:camt.053.001.08}"
    minor = round(float(element.findtext(f"{space}Amt", "")) * 100)
    return minor if element.findtext(f"{space}CdtDbtInd") == "CRDT" else -minor


def test_mt940_sums_and_keeps_to_the_swift_form(cut: list[Statement]) -> None:
    for one in cut:
        rows = mt940(one).split("\r\n")
        assert max(map(len, rows)) <= 65
        amounts = [row for row in rows if row.startswith(":61:")]
        assert len(amounts) == len(one.lines)
        total = 0
        for row in amounts:
            sign, rest = ("RC", row[16:]) if row[14:16] == "RC" else (row[14], row[15:])
            minor = int(rest.split("N")[0].replace(",", ""))
            total += minor if sign == "C" else -minor
        assert one.opening + total == one.closing
        assert f"EUR{one.closing // 100},{one.closing % 100:02d}" in "".join(rows) or one.currency != "EUR"


def test_bai2_control_totals_and_record_counts_hold(cut: list[Statement]) -> None:
    for one in cut:
        rows = bai2(one).splitlines()
        assert max(len(row) for row in rows) <= 80
        total = sum(int(row.split(",")[2]) for row in rows if row.startswith("16,")) + one.opening + one.closing
        kinds = defaultdict(list)
        for row in rows:
            kinds[row[:2]].append(row.rstrip("/").split(","))
        assert int(kinds["49"][0][1]) == int(kinds["98"][0][1]) == int(kinds["99"][0][1]) == total
        assert int(kinds["49"][0][2]) == len(rows) - 4
        assert int(kinds["98"][0][3]) == len(rows) - 2
        assert int(kinds["99"][0][3]) == len(rows)
        assert len(kinds["16"]) == len(one.lines)


def test_csv_ends_with_the_closing_balance(cut: list[Statement]) -> None:
    for one in cut:
        german = one.currency == "EUR"
        rows = list(csv.reader(io.StringIO(csv_export(one)), delimiter=";" if german else ","))
        assert len(rows) == len(one.lines) + 1
        shown = rows[-1][-1].replace(",", ".") if german else rows[-1][-1]
        assert round(float(shown) * 100) == one.closing
        assert {len(row) for row in rows} == {9}


def test_files_are_named_by_company_and_month_and_the_same_each_time() -> None:
    payments = told_house().ledger.table("payments")
    _, files = bank_files(payments, 2, since=date(2025, 2, 10), until=UNTIL)
    written = dict(files)
    assert "mt940/HL-DE-2025-02.sta" in written
    assert not any("2025-01" in name for name in written)
    assert {name.split("/")[0] for name in written} == {"camt053", "mt940", "bai2", "csv"}
    assert written == dict(bank_files(payments, 2, since=date(2025, 2, 10), until=UNTIL)[1])
