"""Reads one sheet of a workbook into CSV, alone in its own process with little memory and no inherited files.

Run as a script by ``sandbox``: it imports nothing of duecourse and no Polars, so that its address space stays small.
Numbers are written with a leading U+0001, dates in ISO form with a leading U+0002: what the cell *was* is known,
and later stages need not guess a decimal mark or a date order for it.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 10


def _limit() -> None:
    try:
        import resource
    except ImportError:  # not a POSIX system: the directory check of ``limits`` still bounds what is unpacked
        return
    for kind, amount in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, CPU_SECONDS)):
        try:
            resource.setrlimit(kind, (amount, amount))
        except (ValueError, OSError):
            continue


def cell_text(value: object) -> str:
    """A cell as text; numbers and dates marked as such."""
    if isinstance(value, str):
        return value.lstrip("\x01\x02")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"\x01{value}"
    if isinstance(value, float):
        return f"\x01{int(value)}" if value.is_integer() and abs(value) < 1e16 else f"\x01{value!r}"
    if isinstance(value, datetime):
        return f"\x02{value.isoformat(sep=' ', timespec='seconds')}"
    if isinstance(value, date):
        return f"\x02{value.isoformat()}"
    if isinstance(value, time | timedelta):
        return str(value)
    return "" if value is None else str(value)


def main(source: str, sheet_name: str, target: str) -> dict[str, object]:
    """Writes the chosen sheet (by name, else the one with most cells) to ``target``; gives what it chose."""
    from python_calamine import CalamineWorkbook

    workbook = CalamineWorkbook.from_path(source)
    names = list(workbook.sheet_names)
    if sheet_name and sheet_name not in names:
        return {"error": f"no sheet is named {sheet_name!r}", "sheets": names}
    chosen, best = None, -1
    for name in [sheet_name] if sheet_name else names:
        sheet = workbook.get_sheet_by_name(name)
        cells = sheet.height * sheet.width
        if cells > best:
            chosen, best = sheet, cells
    if chosen is None or best <= 0 or chosen.start is None:
        return {"error": "every sheet is empty", "sheets": names}
    if chosen.width > 1_000:
        return {"error": f"{chosen.width:,} columns", "sheets": names}
    rows: Iterable[Sequence[object]] = chosen.iter_rows()  # from the sheet's first row on, used or not
    with Path(target).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for row in rows:
            writer.writerow([cell_text(value) for value in row])
    return {"sheet": chosen.name, "sheets": names}


if __name__ == "__main__":
    _limit()
    try:
        answer = main(*sys.argv[1:4])
    except MemoryError:
        answer = {"error": "needs more memory than a workbook may take"}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"[:300]}
    sys.stdout.write(json.dumps(answer))
