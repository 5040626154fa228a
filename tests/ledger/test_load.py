from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from duecourse.core.errors import BadInput, Problem
from duecourse.ledger import rawfiles
from duecourse.ledger.load import LoadedLedger, load_ledger

HEADER = "invoice_id,customer_id,issued_on,due_on,amount_minor,currency"
GOOD = "I1,C1,2026-01-01,2026-01-31,10000,USD"


def write(directory: Path, **tables: str | bytes) -> Path:
    """A ledger directory of CSV files; invoices default to one good row."""
    for name, text in {"invoices": f"{HEADER}\n{GOOD}\n", **tables}.items():
        (directory / f"{name}.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return directory


def problems(directory: Path, **options: bool) -> tuple[Problem, ...]:
    with pytest.raises(BadInput) as raised:
        load_ledger(directory, **options)
    return raised.value.problems


def only(directory: Path) -> Problem:
    found = problems(directory)
    assert len(found) == 1, found
    return found[0]


def loaded(directory: Path) -> LoadedLedger:
    result = load_ledger(directory)
    assert result.problems == ()
    return result


def test_only_invoices_is_required(tmp_path: Path) -> None:
    result = loaded(write(tmp_path))
    assert result.ledger.table("invoices").select("invoice_id", "due_on", "amount_minor").rows() == [
        ("I1", date(2026, 1, 31), 10_000)
    ]
    assert (result.unknown_columns, result.unknown_files, result.skipped_rows) == ({}, (), {})


def test_a_missing_directory_and_a_file_are_told_apart_from_a_ledger(tmp_path: Path) -> None:
    assert "ledger directory" in problems(tmp_path / "nothing")[0].expected
    (tmp_path / "file.txt").write_text("x")
    assert "ledger directory" in problems(tmp_path / "file.txt")[0].expected


def test_a_directory_without_invoices(tmp_path: Path) -> None:
    (tmp_path / "payments.csv").write_text("payment_id,received_on,amount_minor,currency\n")
    assert only(tmp_path).expected == "a file invoices.csv or invoices.parquet"


def test_two_forms_of_one_table(tmp_path: Path) -> None:
    write(tmp_path)
    pl.read_csv(tmp_path / "invoices.csv").write_parquet(tmp_path / "invoices.parquet")
    assert only(tmp_path).value == "invoices.csv and invoices.parquet"


def test_a_missing_required_column(tmp_path: Path) -> None:
    found = only(write(tmp_path, invoices="invoice_id,customer_id,issued_on,due_on,amount_minor\nI1,C1,,,5\n"))
    assert (found.file, found.row, found.column) == ("invoices.csv", 1, "currency")


def test_unknown_columns_and_files_are_kept_and_reported(tmp_path: Path) -> None:
    write(tmp_path, invoices=f"{HEADER},branch\n{GOOD},007\n")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "truth").mkdir()
    result = loaded(tmp_path)
    assert result.unknown_columns == {"invoices": ("branch",)}
    assert result.unknown_files == ("notes.txt", "truth")
    assert result.ledger.table("invoices")["branch"].to_list() == ["007"]


def test_every_kind_of_cell_is_read(tmp_path: Path) -> None:
    write(
        tmp_path,
        invoices=f"{HEADER},discount_percent,recurring,recorded_at\n"
        f"{GOOD},2.5,true,2026-01-02T08:09:10Z\nI2,C1,2026-01-01,2026-01-31,0,JPY,,false,2026-01-03\n"
        'I3,"C,1",2026-01-01,2026-01-31,1,KWD,-1e2,,2026-01-02T08:09:10.25Z\n',
        customers="customer_id,country,strategic\nC1,DE,\n",
        activities="activity_id,customer_id,channel,direction,occurred_at,invoice_ids,text\n"
        'X1,C1,call,out,2026-01-05T10:00:00Z,I1;I2,"said ""soon"",\nthen rang off"\n',
    )
    ledger = loaded(tmp_path).ledger
    columns = ["customer_id", "discount_percent", "recurring", "recorded_at"]
    assert ledger.table("invoices").select(columns).rows() == [
        ("C1", 2.5, True, datetime(2026, 1, 2, 8, 9, 10, tzinfo=UTC)),
        ("C1", None, False, datetime(2026, 1, 3, tzinfo=UTC)),
        ("C,1", -100.0, None, datetime(2026, 1, 2, 8, 9, 10, 250_000, tzinfo=UTC)),
    ]
    assert ledger.table("customers").select("country", "strategic").rows() == [("DE", None)]
    assert ledger.table("activities").select("invoice_ids", "text").rows() == [
        (["I1", "I2"], 'said "soon",\nthen rang off')
    ]


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("issued_on", "01/02/2026", "a date"),
        ("issued_on", "2026-1-1", "a date"),
        ("issued_on", "2026-02-30", "a date"),
        ("issued_on", "0026-01-01", "a date"),
        ("amount_minor", "100.50", "whole number of minor units"),
        ("amount_minor", "1e3", "whole number of minor units"),
        ("amount_minor", "1000000000000001", "whole number of minor units"),
        ("amount_minor", "99999999999999999999", "whole number of minor units"),
        ("amount_minor", "-5", "zero or more"),
        ("currency", "usd", "ISO 4217"),
        ("currency", "XYZ", "ISO 4217"),
        ("due_on", "2025-12-31", "a day on or after issued_on 2026-01-01"),
        ("due_on", "", "the column is required"),
        ("invoice_id", "", "the column is required"),
    ],
)
def test_a_bad_cell_is_reported_with_its_place(tmp_path: Path, column: str, value: str, expected: str) -> None:
    cells = dict(zip(HEADER.split(","), GOOD.split(","), strict=True), invoice_id="I2") | {column: value}
    found = only(write(tmp_path, invoices="\n".join([HEADER, GOOD, ",".join(cells.values()), ""])))
    assert (found.file, found.row, found.column, found.value) == ("invoices.csv", 3, column, value or None)
    assert expected in found.expected


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("kind", "proforma", "one of invoice, debit_note, interest, fee"),
        ("recurring", "yes", "true or false"),
        ("discount_percent", "nan", "a number"),
        ("discount_percent", "2,5", None),
        ("terms_days", "30 days", "a whole number"),
        ("recorded_at", "2026-01-02T08:00:00", "a UTC time"),
        ("recorded_at", "2026-01-02T08:00:00+01:00", "a UTC time"),
        ("recorded_at", "2026-01-02 08:00:00Z", "a UTC time"),
        ("po_number", "x" * 65_537, "at most 64 KB"),
    ],
)
def test_a_bad_optional_cell(tmp_path: Path, column: str, value: str, expected: str | None) -> None:
    found = only(write(tmp_path, invoices=f"{HEADER},{column}\n{GOOD},{value}\n"))
    assert found.row == 2
    if expected is None:  # an unquoted comma makes one cell too many
        assert (found.column, found.expected) == (None, "7 cells, as in the header")
    else:
        assert (found.column, found.value) == (column, value[:200])
        assert expected in found.expected


def test_lists_countries_and_json(tmp_path: Path) -> None:
    write(
        tmp_path,
        customers="customer_id,country\nC1,EU\n",
        plans="plan_id,customer_id,agreed_on,currency,instalments\n"
        "L1,C1,2026-01-01,USD,2026-02-01:50;2026-03-01:50\nL2,C1,2026-01-01,USD,2026-02-30:50\n"
        "L3,C1,2026-01-01,USD,2026-02-01:50;;\n",
        decisions="decision_id,decided_at,customer_id,arm,masked\nX,2026-01-01T00:00:00Z,C1,none,{bad\n",
    )
    assert [(found.file, found.row, found.column) for found in problems(tmp_path)] == [
        ("customers.csv", 2, "country"), ("plans.csv", 4, "instalments"), ("decisions.csv", 2, "masked"),
        ("plans.csv", 3, "instalments"),
    ]  # fmt: skip


def test_all_problems_are_collected(tmp_path: Path) -> None:
    rows = [GOOD, "I2,C1,2026-01-01,2026-01-31,ten,usd", "I3,C1,2026-01-01,2025-01-31,1,USD", GOOD, "I4,C1"]
    write(
        tmp_path, invoices="\n".join([HEADER, *rows]),
        allocations="allocation_id,invoice_id,source_kind,applied_on,amount_minor\nA1,I9,payment,2026-02-01,5\n",
    )  # fmt: skip
    places = {(found.file, found.row, found.column) for found in problems(tmp_path)}
    assert places == {
        ("invoices.csv", 3, "amount_minor"), ("invoices.csv", 3, "currency"), ("invoices.csv", 4, "due_on"),
        ("invoices.csv", 5, "invoice_id"), ("invoices.csv", 6, None), ("allocations.csv", 2, "invoice_id"),
    }  # fmt: skip


def test_the_same_id_is_a_newer_version_only_with_its_own_recorded_at(tmp_path: Path) -> None:
    versions = f"{HEADER},recorded_at\n{GOOD},2026-01-02\n{GOOD},2026-01-03\n{GOOD},\n"
    assert loaded(write(tmp_path, invoices=versions)).ledger.table("invoices").height == 3
    assert only(write(tmp_path, invoices=versions + f"{GOOD},2026-01-03\n")).row == 5
    other_day = GOOD.replace("2026-01-01", "2026-01-02")
    assert only(write(tmp_path, invoices=f"{HEADER}\n{GOOD}\n{other_day}\n")).value == "I1"


def test_skipped_rows_take_with_them_what_depends_on_them(tmp_path: Path) -> None:
    write(
        tmp_path, invoices=f"{HEADER}\n{GOOD}\nI2,C1,2026-01-01,2026-01-31,ten,usd\n",
        allocations="allocation_id,invoice_id,source_kind,applied_on,amount_minor\n"
        "A1,I1,payment,2026-02-01,5\nA2,I2,payment,2026-02-01,5\n",
    )  # fmt: skip
    assert {found.file for found in problems(tmp_path)} == {"invoices.csv"}
    result = load_ledger(tmp_path, skip_bad_rows=True)
    assert result.skipped_rows == {"invoices": 1, "allocations": 1}
    assert len(result.problems) == 3  # two cells of one row, and its allocation
    assert result.ledger.table("allocations")["allocation_id"].to_list() == ["A1"]


def test_skipping_does_not_excuse_a_bad_file(tmp_path: Path) -> None:
    write(tmp_path, payments="payment_id\nP1\n")
    assert {found.column for found in problems(tmp_path, skip_bad_rows=True)} == {
        "received_on",
        "amount_minor",
        "currency",
    }


def test_the_worst_case_of_many_bad_rows_stays_countable(tmp_path: Path) -> None:
    rows = "".join(f"I{n},C1,2026-01-01,2026-01-31,ten,USD\n" for n in range(1_500))
    found = problems(write(tmp_path, invoices=f"{HEADER}\n{rows}"))
    assert len(found) == 1_001
    assert found[-1].value == "500 more rows"
    result = load_ledger(
        write(
            tmp_path,
            invoices=f"{HEADER}\n{GOOD}\n{rows}".replace(
                "I1,C1,2026-01-01,2026-01-31,ten", "J1,C1,2026-01-01,2026-01-31,ten"
            ),
        ),
        skip_bad_rows=True,
    )
    assert result.skipped_rows == {"invoices": 1_500}


@pytest.mark.parametrize(
    ("content", "row", "word"),
    [
        (b"", 1, "header"),
        (f"{HEADER}\n{GOOD}\n".encode("utf-16"), None, ""),
        (f"{HEADER}\n{GOOD}\nI\xe9,C".encode("latin-1"), 3, "UTF-8"),
        (f"{HEADER}\n{GOOD}\0\n".encode(), 2, "plain text"),
        (f'{HEADER}\n{GOOD}\n"I2,C1\n'.encode(), 3, "closing quote"),
        (f"{HEADER},currency\n".encode(), 1, "each column name once"),
        (f"{HEADER},\n".encode(), 1, "a name for column 7"),
        ((",".join(f"c{n}" for n in range(1_001)) + "\n").encode(), 1, "at most 1,000 columns"),
    ],
)
def test_hostile_and_broken_csv(tmp_path: Path, content: bytes, row: int | None, word: str) -> None:
    found = only(write(tmp_path, invoices=content))
    assert found.file == "invoices.csv"
    assert row is None or found.row == row
    assert word in found.expected


def test_a_csv_that_is_too_large_asks_for_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rawfiles, "LARGEST_CSV_BYTES", 50)
    assert only(write(tmp_path)).cure == "write the table as Parquet"


def test_byte_order_mark_blank_lines_and_windows_line_ends(tmp_path: Path) -> None:
    text = f"\ufeff{HEADER}\r\n{GOOD}\r\n\r\n{GOOD.replace('I1', 'I2')}\r\n,,,,,\r\n"
    assert loaded(write(tmp_path, invoices=text)).ledger.table("invoices")["invoice_id"].to_list() == ["I1", "I2"]


def test_rows_are_numbered_as_a_spreadsheet_does(tmp_path: Path) -> None:
    text = f'{HEADER},po_number\n{GOOD},"two\nlines"\n\nI2,C1,2026-01-01,2026-01-31,ten,USD,\n'
    assert only(write(tmp_path, invoices=text)).row == 4


def frame(**columns: object) -> pl.DataFrame:
    base = {
        "invoice_id": ["I1"], "customer_id": ["C1"], "issued_on": [date(2026, 1, 1)], "due_on": [date(2026, 1, 31)],
        "amount_minor": [10_000], "currency": ["USD"],
    }  # fmt: skip
    return pl.DataFrame({**base, **columns})


@pytest.mark.parametrize(
    ("column", "series"),
    [
        ("amount_minor", pl.Series([100.0])),
        ("invoice_id", pl.Series([1])),
        ("issued_on", pl.Series([20260101])),
        ("recurring", pl.Series([1])),
    ],
)
def test_a_parquet_column_of_the_wrong_type(tmp_path: Path, column: str, series: pl.Series) -> None:
    frame(**{column: series}).write_parquet(tmp_path / "invoices.parquet")
    found = only(tmp_path)
    assert (found.file, found.row, found.column, found.value) == (
        "invoices.parquet", None, column, str(series.dtype),
    )  # fmt: skip


def test_parquet_in_the_types_that_other_tools_write(tmp_path: Path) -> None:
    midnight = pl.Series([datetime(2026, 1, 1)], dtype=pl.Datetime("ns"))  # noqa: DTZ001 - pandas writes it without a zone
    frame(
        issued_on=midnight, recorded_at=midnight, amount_minor=pl.Series([5], dtype=pl.Int32),
        currency=pl.Series(["USD"], dtype=pl.Categorical), terms_days=pl.Series([None]), branch=[7],
    ).write_parquet(tmp_path / "invoices.parquet")  # fmt: skip
    row = loaded(tmp_path).ledger.table("invoices").row(0, named=True)
    assert (row["issued_on"], row["amount_minor"], row["currency"], row["terms_days"]) == (
        date(2026, 1, 1),
        5,
        "USD",
        None,
    )
    assert row["recorded_at"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert row["branch"] == 7


def test_a_time_of_day_is_no_date(tmp_path: Path) -> None:
    frame(issued_on=[datetime(2026, 1, 1, 5)]).write_parquet(tmp_path / "invoices.parquet")  # noqa: DTZ001
    assert (only(tmp_path).row, only(tmp_path).column) == (2, "issued_on")


@pytest.mark.parametrize("cut", [0, 3, 4, 50, -1, -9])
def test_truncated_parquet(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "invoices.parquet"
    frame().write_parquet(path)
    path.write_bytes(path.read_bytes()[:cut])
    assert only(tmp_path).expected == "a Parquet file that can be read"


def test_text_renamed_to_parquet(tmp_path: Path) -> None:
    (tmp_path / "invoices.parquet").write_text(f"{HEADER}\n{GOOD}\n")
    assert only(tmp_path).expected == "a Parquet file that can be read"
