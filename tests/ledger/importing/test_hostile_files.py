"""Files of strangers: a clear error in seconds, never a crash, never a row that nobody counts."""

from __future__ import annotations

import random
import struct
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.core.errors import BadInput, DuecourseError
from duecourse.ledger.importing import ImportOptions, import_files
from support.exports import HEADER, ROW, workbook, write

CONTENT = ("[Content_Types].xml", b"<Types/>")
BOOK = ("xl/workbook.xml", b"<a/>")


def archive(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in members:
            out.writestr(name, data)
    return path


def raw(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def refused(path: Path, match: str) -> BadInput:
    start = time.perf_counter()
    with pytest.raises(BadInput, match=match) as caught:
        import_files([path])
    assert time.perf_counter() - start < 15  # a loaded machine; alone each takes well below a second
    assert path.name in str(caught.value)
    assert list(path.parent.iterdir()) == [path]  # nothing was written beside it
    return caught.value


HEAD = (HEADER + "\n").encode()
LINE = (ROW + "\n").encode()


@pytest.mark.parametrize(
    ("name", "data", "match"),
    [
        ("empty.csv", b"", "0 bytes"),
        ("blank.csv", b"\n\n\n", "no records"),
        ("header.csv", HEAD, "no records"),
        ("nul.csv", HEAD + LINE.replace(b"Birch", b"Bi\x00rch"), "NUL"),
        ("line.csv", b"a" * 9_000_000, "more than 4 MB"),
        ("cell.csv", HEAD + LINE.replace(b"Birch", b"B" * 70_000), "70,000 bytes"),
        ("quote.csv", HEAD + LINE.replace(b"Birch", b'"Birch') + LINE * 5_000, "not closed"),
        ("page.xls", b"<html><table></table></html>", "HTML"),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old .xls"),
        ("pdf.csv", b"%PDF-1.7\n" + HEAD + LINE, "PDF"),
        ("gif.csv", b"GIF89a" + bytes(range(256)), "NUL"),
        ("gz.csv", b"\x1f\x8b\x08" + bytes(50), "gzip"),
        ("no_header.csv", b"1,2,3\n4,5,6\n", "no row of column names"),
        ("parquet.csv", b"PAR1" + bytes(50) + b"PAR1", "readable Parquet"),
    ],
)
def test_files_that_are_none(name: str, data: bytes, match: str, tmp_path: Path) -> None:
    refused(raw(tmp_path / name, data), match)


def test_a_million_columns(tmp_path: Path) -> None:
    names = b",".join(b"c%d" % i for i in range(10**6))
    refused(raw(tmp_path / "wide.csv", names + b"\n" + b"," * 999_999 + b"\n"), "4 MB")
    (tmp_path / "wide.csv").unlink()
    names = b",".join(b"c%d" % i for i in range(1_001))
    refused(raw(tmp_path / "wide.csv", names + b"\n"), "1,001 columns")


def test_two_gigabytes_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sparse.csv"
    with path.open("wb") as file:
        file.truncate(2 * 10**9)
    refused(path, "2,000 MB")


def test_zip_bombs_are_seen_in_the_directory(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.xlsx", CONTENT, BOOK, ("xl/worksheets/sheet1.xml", bytes(160_000_000)))
    refused(path, "160 MB unpacked")
    path = archive(path, CONTENT, BOOK, ("xl/worksheets/sheet1.xml", bytes(50_000_000)))
    refused(path, "unpacks [0-9,]+ to 1")
    path = archive(path, CONTENT, BOOK, *((f"m{i}", b"x") for i in range(1_200)))
    refused(path, "1,202 parts")
    path = archive(path, CONTENT, BOOK, ("inner.zip", b"PK"))
    refused(path, "archive inside")
    path = archive(path, ("a.csv", HEAD + LINE))
    refused(path, "no workbook")
    path = archive(path, CONTENT, ("xl/workbook.xml", b"<a"))
    refused(path, "readable workbook")


def test_a_directory_that_lies_about_sizes_hurts_nobody(tmp_path: Path) -> None:
    book = workbook(tmp_path / "b.xlsx", [HEADER.split(","), ["x" * 1000] * 6] + [["y" * 1000] * 6] * 20_000)
    data = bytearray(book.read_bytes())
    at = data.rfind(b"xl/worksheets/sheet1.xml") - 46
    assert data[at : at + 4] == b"PK\x01\x02"
    struct.pack_into("<I", data, at + 24, 1_000)
    book.write_bytes(bytes(data))
    with pytest.raises(BadInput):
        import_files([book])


def test_truncated_prefixed_and_locked_workbooks(tmp_path: Path) -> None:
    book = workbook(
        tmp_path / "b.xlsx",
        [HEADER.split(","), *([i, "A", "2026-01-01", "2026-01-31", 10.5, "EUR"] for i in range(99))],
    )
    good = book.read_bytes()
    assert import_files([book]).ledger.table("invoices").height == 99
    refused(raw(book, good[: len(good) // 2]), "damaged zip")
    refused(raw(book, b"PK\x03\x04junk" + good), "before the workbook")
    refused(raw(book, b"GIF89a" + good), "NUL")


def test_a_worker_that_breaks_is_one_sentence(tmp_path: Path) -> None:
    book = workbook(tmp_path / "b.xlsx", [HEADER.split(","), ["1"] * 6])
    data = book.read_bytes()
    random.seed(5)
    for _ in range(5):
        broken = bytearray(data)
        for _ in range(20):
            broken[random.randrange(4, len(broken))] = random.randrange(256)
        raw(book, bytes(broken))
        try:
            import_files([book], options=ImportOptions(skip_bad_rows=True))
        except DuecourseError as error:
            assert "Traceback" not in str(error)  # noqa: PT017 - it may also be read well


def test_impossible_cells_are_refused_row_by_row(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "x.csv",
        HEADER,
        "1,A,31/02/2026,31/03/2026,10.00,EUR",
        "2,A,28/02/2026,31/03/2026,1000000000000000,EUR",
        "3,A,28/02/2026,31/03/2026,10.00,XYZ",
        "4,A,28/02/2026,27/02/2026,10.00,EUR",
        "5,,28/02/2026,31/03/2026,10.00,EUR",
        "6,A,28/02/2026,31/03/2026,10.00,EUR,too,many",
        "7,A,28/02/2026",
        "1.93E+09,A,28/02/2026,31/03/2026,10.00,EUR",
        "8,A,28/02/2026,31/03/2026,10.00,EUR",
    )
    error = refused(path, "8 of 9 rows cannot be used.*--skip-bad-rows")
    assert {(p.row, p.column) for p in error.problems} >= {
        (2, "Invoice Date"),
        (3, "Amount"),
        (4, "Currency"),
        (5, "Due Date"),
        (6, "Customer"),
        (7, None),
        (9, "Invoice No"),
    }
    assert all(problem.expected for problem in error.problems)
    result = import_files([path], options=ImportOptions(skip_bad_rows=True))
    assert result.ledger.table("invoices").get_column("invoice_id").to_list() == ["8"]
    assert (result.files[0].accepted, result.files[0].refused, result.files[0].rows) == (1, 8, 9)
    assert result.problem_table.get_column("row").unique().to_list() == [2, 3, 4, 5, 6, 7, 8, 9]


def test_names_that_only_look_alike_become_one(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", HEADER, ROW, ROW.replace("1,Birch", "2,Bi\u200brch\u202e"))
    assert import_files([path]).ledger.table("customers").get_column("customer_id").to_list() == ["Birch"]


@settings(max_examples=15, deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_give_a_ledger_or_a_clear_error(noise: bytes, headed: bool) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "x.csv"
        path.write_bytes((HEAD + LINE if headed else b"") + noise)
        try:
            result = import_files([path], options=ImportOptions(skip_bad_rows=True))
        except DuecourseError:
            return
        one = result.files[0]
        assert one.accepted + one.refused + one.duplicates + one.left_out == one.rows
