"""The three real receivables sets: every row accounted for, exact counts, and what name proposals find."""

from __future__ import annotations

from datetime import date
from itertools import combinations
from pathlib import Path

import polars as pl
import pytest

from duecourse.ledger.checks import invariant_problems
from duecourse.ledger.importing import ImportOptions, ImportResult, import_files
from duecourse.ledger.importing.names import clusters
from support.realdata import RECEIVABLES, highradius_ledger

pytestmark = pytest.mark.realdata


def imported(name: str, *, skip: bool = False) -> ImportResult:
    path = RECEIVABLES / name
    if not path.exists():
        pytest.skip(f"real data set {name} is absent (expected at {path})")
    result = import_files([path], options=ImportOptions(skip_bad_rows=skip))
    assert invariant_problems(result.ledger) == ()
    return result


def test_highradius() -> None:
    result = imported("highradius/invoices_known_2019-09-01.csv")
    assert result.column_map.name == "highradius"
    assert {name: frame.height for name, frame in result.ledger.tables.items()} == {
        "customers": 886,
        "invoices": 23_122,
        "payments": 21_503,
        "allocations": 21_503,
    }
    assert result.problem_table.height == 0
    independent = highradius_ledger()
    for table, columns in (("invoices", ["invoice_id", "customer_id", "issued_on", "due_on", "amount_minor"]),
                           ("allocations", ["invoice_id", "applied_on", "amount_minor"])):  # fmt: skip
        assert result.ledger.table(table).select(columns).equals(independent.table(table).select(columns))
    assert result.ledger.last_known() == date(2019, 8, 31)


def test_cassandra_keeps_its_two_clocks_and_its_five_prepayments() -> None:
    result = imported("cassandra/invoices_known_2016-08-04.csv")
    assert result.problem_table.height == 0
    assert result.ledger.table("invoices").height == 6_956
    assert result.ledger.table("allocations").height == 6_767
    early = result.ledger.table("payments").join(
        result.ledger.table("allocations"), left_on="payment_id", right_on="source_id"
    )
    assert early.filter(pl.col("received_on") < pl.col("applied_on")).height == 5
    assert (
        result.ledger.table("invoices")["recorded_at"].dt.date() > result.ledger.table("invoices")["issued_on"]
    ).sum() > 3_000
    sums = result.ledger.table("allocations").get_column("amount_minor").sum()
    assert sums < result.ledger.table("invoices").get_column("amount_minor").sum()


@pytest.mark.parametrize(
    ("name", "rows"), [("WA_Fn-UseC_-Accounts-Receivable.csv", 2_466), ("wdmartin_with_missing_2586.csv", 2_586)]
)
def test_ibm_is_month_first_with_and_without_the_ready_map(name: str, rows: int, tmp_path: Path) -> None:
    result = imported(f"ibm/{name}")
    assert result.ledger.table("invoices").height == result.ledger.table("allocations").height == rows
    terms = result.ledger.table("invoices").select((pl.col("due_on") - pl.col("issued_on")).dt.total_days()).to_series()
    assert set(terms) == {30}
    renamed = tmp_path / "renamed.csv"
    text = (RECEIVABLES / "ibm" / name).read_text()
    renamed.write_text(text.replace("invoiceNumber", "Invoice No", 1))
    unknown = import_files([renamed], options=ImportOptions(currency="USD"))
    assert unknown.column_map.tables[0].date_order == "mdy"
    assert (
        unknown.ledger.table("invoices")
        .select("invoice_id", "issued_on", "due_on")
        .equals(result.ledger.table("invoices").select("invoice_id", "issued_on", "due_on"))
    )


def test_messy_open_list(capsys: pytest.CaptureFixture[str]) -> None:
    result = imported("highradius/open_messy_names.csv", skip=True)
    invoices = result.ledger.table("invoices")
    assert (invoices.height, result.files[0].refused) == (9_668, 32)
    assert invoices.get_column("currency").value_counts().height == 2
    assert not invoices.get_column("invoice_id").str.contains(r"\.0$").any()
    assert invoices.get_column("customer_id").str.starts_with("0").any()
    precision, recall = _name_measures()
    with capsys.disabled():
        print(f"\nname proposals on open_messy_names: pairwise precision {precision:.3f}, recall {recall:.3f}")  # noqa: T201
    assert precision >= 0.92
    assert recall >= 0.98


def _name_measures() -> tuple[float, float]:
    """Over pairs of distinct spellings; a pair is one customer when both stand beside one customer number.

    Leading zeros of the number are no difference. Most wrong pairs are names that masking cut short.
    """
    cells = pl.read_csv(RECEIVABLES / "highradius" / "open_messy_names.csv", infer_schema=False)
    owners: dict[str, set[str]] = {}
    for number, name in cells.select("cust_number", "name_customer").unique().iter_rows():
        owners.setdefault(name, set()).add(number.lstrip("0"))
    names = sorted(owners)
    found = {pair for group in clusters(names) for pair in combinations(group, 2)}
    true = {(i, j) for i, j in combinations(range(len(names)), 2) if owners[names[i]] & owners[names[j]]}
    return len(found & true) / len(found), len(found & true) / len(true)
