"""Limits on files that strangers made: size, kind by magic bytes, and what a spreadsheet's zip directory may claim.

Everything here runs before a parser sees the file. Limits: docs/reference/column-maps.md.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Literal

from duecourse.core.errors import BadInput, Problem

MEGABYTE = 1_000_000
MAX_FILE_BYTES = 200 * MEGABYTE
MAX_COLUMNS = 1_000
MAX_CELL_BYTES = 64 * 1024
MAX_UNPACKED_BYTES = 100 * MEGABYTE
MAX_UNPACKED_RATIO = 100
MAX_ZIP_MEMBERS = 1_000
MAX_PARQUET_CELLS = 200_000_000

FileKind = Literal["text", "xlsx", "parquet"]

# What a file that is none of ours begins with, and what its owner can do about it.
_FOREIGN = (
    (b"\xd0\xcf\x11\xe0", "an old .xls workbook or one with a password", "save it as .xlsx without password"),
    (b"%PDF", "a PDF", "export the list as CSV or XLSX instead"),
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (b"BZh", "a bzip2 archive", "unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "unpack it first"),
    (b"{\\rtf", "a text document", "export the list as CSV or XLSX instead"),
    (b"\x89PNG", "a picture", "export the list as CSV or XLSX instead"),
    (b"\xff\xd8\xff", "a picture", "export the list as CSV or XLSX instead"),
    (b"\x7fELF", "a program", "export the list as CSV or XLSX instead"),
    (b"MZ", "a program", "export the list as CSV or XLSX instead"),
)


def refuse(path: Path, got: str, expected: str, cure: str = "", *, row: int | None = None) -> BadInput:
    """The error for a file that cannot be read at all; to be raised by the caller."""
    return BadInput(f"{path.name} cannot be read; nothing was written", (
        Problem(path.name, row, None, got[:200], expected, cure),
    ))  # fmt: skip


def check_file(path: Path) -> FileKind:
    """The kind of the file by its first bytes, never by its name. Raises BadInput when it breaks a limit."""
    if not path.is_file():
        raise BadInput(f"{path}: no such file; expected an export (CSV, XLSX or Parquet)")
    size = path.stat().st_size
    if size == 0:
        raise refuse(path, "0 bytes", "a file with a header row and records", "export it again")
    if size > MAX_FILE_BYTES:
        raise refuse(
            path, f"{size / MEGABYTE:,.0f} MB", f"at most {MAX_FILE_BYTES // MEGABYTE} MB", "split the export by year"
        )
    with path.open("rb") as file:
        start = file.read(512)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"PK"):
        check_workbook_directory(path)
        return "xlsx"
    for magic, what, cure in _FOREIGN:
        # Two-letter magics also begin ordinary text ("MZ,..."): those must carry control bytes as well.
        if start.startswith(magic) and (len(magic) > 2 or b"\x00" in start):
            raise refuse(path, what, "CSV, XLSX or Parquet", cure)
    if start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        raise refuse(path, "an HTML or XML page", "CSV, XLSX or Parquet", "open it in a spreadsheet and save it as CSV")
    return "text"


def check_workbook_directory(path: Path) -> None:
    """Reads only the zip directory and refuses what would unpack too far. Raises BadInput."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise refuse(path, f"a damaged zip: {error}", "a complete .xlsx workbook", "export it again") from None
    if len(members) > MAX_ZIP_MEMBERS:
        raise refuse(path, f"{len(members):,} parts", f"at most {MAX_ZIP_MEMBERS:,} parts in a workbook")
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_UNPACKED_BYTES:
        raise refuse(
            path, f"{unpacked / MEGABYTE:,.0f} MB unpacked", f"at most {MAX_UNPACKED_BYTES // MEGABYTE} MB unpacked",
            "save the sheet as CSV",
        )  # fmt: skip
    packed = max(sum(member.compress_size for member in members), 1)
    if unpacked > MEGABYTE and unpacked / packed > MAX_UNPACKED_RATIO:
        raise refuse(
            path, f"unpacks {unpacked / packed:,.0f} to 1", f"at most {MAX_UNPACKED_RATIO} to 1", "save it as CSV"
        )
    names = [member.filename.lower() for member in members]
    if any(name.endswith((".zip", ".xlsx", ".xlsm", ".gz", ".7z")) for name in names):
        raise refuse(path, "an archive inside the archive", "a plain .xlsx workbook")
    if any(member.flag_bits & 0x1 for member in members):
        raise refuse(path, "an encrypted archive", "a workbook without password", "save it without password")
    if "[content_types].xml" not in names or not any(name.startswith("xl/workbook") for name in names):
        raise refuse(path, "a zip that is no workbook", "a .xlsx workbook", "unpack it and give the CSV inside")
    if min(member.header_offset for member in members) != 0:
        raise refuse(path, "bytes before the workbook begins", "a plain .xlsx workbook", "export it again")
