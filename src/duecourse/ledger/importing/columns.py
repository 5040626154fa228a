"""Finds by itself which column of an unknown export holds which field, and how sure that is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any

from duecourse.ledger.importing.amounts import split_amounts
from duecourse.ledger.importing.dates import split_dates
from duecourse.ledger.importing.headers import normal
from duecourse.ledger.importing.maps import AMOUNT_FIELDS, DATE_FIELDS, ColumnMap, Rows, TableMap, ready_maps
from duecourse.ledger.importing.reading import RawTable

SAMPLE_ROWS = 400
WEAK, SURE = 0.5, 0.8
_NEEDED = ("amount", "issued_on", "due_on", "received_on")


@cache
def synonyms() -> Mapping[str, Any]:
    """``synonyms.toml``: header names by field, names of columns known only afterwards, value translations."""
    return tomllib.loads(resources.files(__package__).joinpath("synonyms.toml").read_text(encoding="utf-8"))


@cache
def _known_headers() -> frozenset[str]:
    names: set[str] = set()
    for section in ("invoices", "invoices_weak", "payments", "payments_weak"):
        names |= {normal(name) for group in synonyms()[section].values() for name in group}
    names |= {normal(name) for name in synonyms()["afterwards"]}
    for column_map in ready_maps().values():
        for table in column_map.tables:
            names |= {normal(name) for group in table.columns.values() for name in group}
    return frozenset(names)


def is_known_header(cell: str) -> bool:
    """Whether exports use this text as a column name."""
    return normal(cell) in _known_headers() or normal(_without_brackets(cell)) in _known_headers()


def _without_brackets(header: str) -> str:
    return re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", header)


def detect(raw: RawTable) -> TableMap:
    """The map found for a file that fits no ready one; fields that were not found are absent from ``columns``."""
    invoices, payments = _assign(raw, "invoices"), _assign(raw, "payments")
    strong_payment = max(payments.confidence.get("received_on", 0), payments.confidence.get("payment_id", 0)) > WEAK
    strong_invoice = max(invoices.confidence.get("issued_on", 0), invoices.confidence.get("due_on", 0)) > WEAK
    if "due_on" not in invoices.columns and strong_payment and "amount" in payments.columns:
        only_posted = normal(payments.columns.get("received_on", ("",))[0]) in ("postingdate", "transactiondate")
        if not strong_invoice or (only_posted and "payment_id" in payments.columns):
            return payments
    return invoices


def complete(table: TableMap, raw: RawTable) -> TableMap:
    """A ready map with the fields it left open found among the file's other columns, where that is sure."""
    taken = {normal(name[0]) for name in table.columns.values()} | {normal(name) for name in table.left_out}
    found = _assign(raw, table.rows, frozenset(taken))
    more = {
        name: headers for name, headers in found.columns.items()
        if name not in table.columns and found.confidence[name] >= SURE and name not in ("status", "reference", "kind")
    }  # fmt: skip
    return replace(
        table,
        columns={**table.columns, **more},
        confidence={name: found.confidence[name] for name in more},
        left_out={**found.left_out, **table.left_out},
    )


def ready_map_for(raw: RawTable) -> tuple[ColumnMap, TableMap] | None:
    """The ready map, and its table, that fits the file best; None when none fits."""
    fits = [
        (column_map, table) for column_map in ready_maps().values() for table in column_map.tables
        if table.fits(raw.headers)
    ]  # fmt: skip
    return max(
        fits,
        key=lambda pair: (len(pair[1].signature), len(pair[1].resolved(raw.headers, raw.file).columns)),
        default=None,
    )


def _assign(raw: RawTable, rows: Rows, taken: frozenset[str] = frozenset()) -> TableMap:
    """Greedy: the surest pairs of field and header first, each used once, contents checked."""
    candidates: list[tuple[float, int, str, str]] = []
    for section, strength in ((rows, 1.0), (f"{rows}_weak", WEAK)):
        for name, words in synonyms()[section].items():
            for rank, word in enumerate(words):
                wanted = normal(word)
                for position, header in enumerate(raw.headers):
                    if normal(header) in taken:
                        continue
                    exact = normal(header) == wanted
                    if exact or normal(_without_brackets(header)) == wanted:
                        sure = strength - min(rank, 15) * 0.01 - (0 if exact else 0.05)
                        candidates.append((sure, -position, name, header))
    columns: dict[str, tuple[str, ...]] = {}
    confidence: dict[str, float] = {}
    used: set[str] = set()
    for sure, _, name, header in sorted(candidates, reverse=True):
        if name in columns or header in used or not _content_fits(raw, name, header):
            continue
        columns[name], confidence[name] = (header,), round(sure, 2)
        used.add(header)
    # A sure header whose cells do not look the part is still that field: its rows are then refused one by one.
    for sure, _, name, header in sorted(candidates, reverse=True):
        if sure >= SURE and name in _NEEDED and name not in columns and header not in used:
            columns[name], confidence[name] = (header,), WEAK
            used.add(header)
    afterwards = {normal(word): why for word, why in synonyms()["afterwards"].items()}
    left_out = {
        header: afterwards[normal(header)] for header in raw.headers
        if header not in used and normal(header) in afterwards
    }  # fmt: skip
    return TableMap(rows, columns, confidence=confidence, left_out=left_out, file=raw.file)


def _content_fits(raw: RawTable, name: str, header: str) -> bool:
    """Whether the first cells of a column look like the field: dates in date columns, amounts in amount columns."""
    cells = raw.frame.get_column(header).drop_nulls().head(SAMPLE_ROWS)
    if name in DATE_FIELDS:
        forms = split_dates(header, cells).frame.get_column("form").drop_nulls()
        return len(forms) == 0 or float((forms != "bad").mean() or 0) >= 0.6  # type: ignore[arg-type]
    if name in AMOUNT_FIELDS:
        frame = split_amounts(header, cells).frame
        return frame.height == 0 or float(frame.get_column("bad").mean() or 0) <= 0.4  # type: ignore[arg-type]
    if name == "terms_days":
        return bool(cells.str.contains(r"\d").any()) or len(cells) == 0
    return name not in ("invoice_id", "customer_id", "customer_name", "payment_id") or len(cells) > 0


def header_currency(header: str | None) -> str | None:
    """An ISO code that a header names in brackets or as its last word (``Amount (EUR)``, ``Total USD``)."""
    from duecourse.core.money import CURRENCIES

    words = re.findall(r"\b[A-Z]{3}\b", header or "")
    codes = [word for word in words if word in CURRENCIES]
    return codes[0] if len(codes) == 1 else None
