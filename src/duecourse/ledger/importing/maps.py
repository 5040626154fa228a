"""Column maps: which header holds which field. Ready ones ship with the program; a used one is saved as ``map.toml``.

Both have one form (docs/reference/column-maps.md), so that a saved map can be edited and used again with ``--map``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

import tomli_w

from duecourse.core.errors import BadInput, Problem, UsageError
from duecourse.ledger.importing.headers import normal
from duecourse.ledger.importing.outcome import DateOrder, DecimalMark

FORMAT = 1
Rows = Literal["invoices", "payments"]
INVOICE_FIELDS = (
    "invoice_id",
    "customer_id",
    "customer_name",
    "issued_on",
    "due_on",
    "cleared_on",
    "recorded_at",
    "amount",
    "open_amount",
    "paid_amount",
    "credited_amount",
    "currency",
    "terms_days",
    "kind",
    "status",
    "po_number",
    "order_reference",
    "product_line",
    "entity_id",
    "country",
    "region",
    "email",
    "phone",
    "delivery_channel",
    "payment_id",
    "method",
)
PAYMENT_FIELDS = (
    "payment_id",
    "received_on",
    "amount",
    "allocated_amount",
    "invoice_id",
    "customer_id",
    "customer_name",
    "currency",
    "method",
    "reference",
    "payer_name",
    "recorded_at",
    "kind",
    "status",
)
FIELDS: Mapping[str, tuple[str, ...]] = {"invoices": INVOICE_FIELDS, "payments": PAYMENT_FIELDS}
DATE_FIELDS = ("issued_on", "due_on", "cleared_on", "recorded_at", "received_on")
AMOUNT_FIELDS = ("amount", "open_amount", "paid_amount", "credited_amount", "allocated_amount")
VALUE_FIELDS = ("kind", "status", "method", "currency", "delivery_channel")


@dataclass(frozen=True)
class TableMap:
    """How one kind of file is read: ``columns`` field -> headers (the first that the file has is used).

    ``signature`` headers must all be in a file for the map to fit (``A|B``: one of them). ``constants`` give a field
    one value where its column is absent or blank; ``values`` translate cells, by field; ``left_out`` says of headers
    why they are not used. ``confidence`` is set where the program found the column by itself.
    """

    rows: Rows
    columns: Mapping[str, tuple[str, ...]]
    title: str = ""
    signature: tuple[str, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    date_order: DateOrder | None = None
    decimal: DecimalMark | None = None
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    confidence: Mapping[str, float] = field(default_factory=dict)
    file: str = ""

    def fits(self, headers: Sequence[str]) -> bool:
        """Whether a file with these headers is of this kind."""
        have = {normal(header) for header in headers}
        wanted = self.signature or tuple(names[0] for names in self.columns.values())
        return all(any(normal(name) in have for name in one.split("|")) for one in wanted)

    def header_of(self, name: str) -> str | None:
        """The header of a field in a map that was resolved against a file."""
        return self.columns[name][0] if name in self.columns else None

    def resolved(self, headers: Sequence[str], file: str) -> TableMap:
        """The same map with each field on the one header that the file has, in the file's own spelling."""
        by_normal: dict[str, str] = {}
        for header in headers:
            by_normal.setdefault(normal(header), header)
        columns: dict[str, tuple[str, ...]] = {}
        for name, candidates in self.columns.items():
            found = next((by_normal[normal(one)] for one in candidates if normal(one) in by_normal), None)
            if found is not None:
                columns[name] = (found,)
        left_out = {by_normal[normal(name)]: why for name, why in self.left_out.items() if normal(name) in by_normal}
        return replace(self, columns=columns, left_out=left_out, file=file)


@dataclass(frozen=True)
class ColumnMap:
    """One or more table maps under a name (``highradius``, ``xero``, or the file's own for a detected map)."""

    name: str
    tables: tuple[TableMap, ...]
    title: str = ""

    def fitting(self, headers: Sequence[str]) -> TableMap | None:
        """The most specific table of this map that a file with these headers fits; None when none does."""
        fits = [table for table in self.tables if table.fits(headers)]
        return max(
            fits, key=lambda table: (len(table.signature), len(table.resolved(headers, "").columns)), default=None
        )

    def to_toml(self) -> str:
        """The map as text for ``map.toml``; ``parse_map`` reads it back."""
        tables: list[dict[str, Any]] = []
        for table in self.tables:
            entry: dict[str, Any] = {"rows": table.rows}
            if table.title:
                entry["title"] = table.title
            if table.file:
                entry["seen_in"] = table.file
            entry["signature"] = [names[0] for names in table.columns.values()] if table.file else list(table.signature)
            if table.date_order:
                entry["date_order"] = table.date_order
            if table.decimal:
                entry["decimal"] = table.decimal
            entry["columns"] = {
                name: found[0] if len(found) == 1 else list(found) for name, found in table.columns.items()
            }
            for key, part in (
                ("constants", table.constants),
                ("confidence", table.confidence),
                ("left_out", table.left_out),
            ):
                if part:
                    entry[key] = dict(part)
            if table.values:
                entry["values"] = {name: dict(table_values) for name, table_values in table.values.items()}
            tables.append(entry)
        head = (
            "# How the columns of an export become fields of the ledger. Edit it and use it again:\n"
            "# duecourse import FILE --out DIR --map map.toml\n"
            "# Every key is explained in docs/reference/column-maps.md.\n\n"
        )
        return head + tomli_w.dumps({"format": FORMAT, "name": self.name, "title": self.title, "table": tables})


def parse_map(text: str, where: str) -> ColumnMap:
    """A column map from TOML. Raises BadInput that names the key which is wrong and what was expected."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _wrong(where, None, str(error), "TOML, as import writes it") from None
    if data.get("format") != FORMAT:
        raise _wrong(where, "format", str(data.get("format")), f"format = {FORMAT}")
    tables = data.get("table")
    if not isinstance(tables, list) or not tables:
        raise _wrong(where, "table", None, "at least one [[table]]")
    return ColumnMap(
        str(data.get("name", Path(where).stem)),
        tuple(_parse_table(entry, where) for entry in tables),
        str(data.get("title", "")),
    )


def _parse_table(entry: Mapping[str, Any], where: str) -> TableMap:
    if entry.get("rows") not in get_args(Rows):
        raise _wrong(where, "rows", str(entry.get("rows")), "invoices or payments")
    rows: Rows = "invoices" if entry["rows"] == "invoices" else "payments"
    columns: dict[str, tuple[str, ...]] = {}
    for name, found in entry.get("columns", {}).items():
        if name not in FIELDS[rows]:
            raise _wrong(where, f"columns.{name}", str(found), "one of " + ", ".join(FIELDS[rows]))
        columns[name] = (found,) if isinstance(found, str) else tuple(map(str, found))
    for name in entry.get("values", {}):
        if name not in VALUE_FIELDS:
            raise _wrong(where, f"values.{name}", None, "one of " + ", ".join(VALUE_FIELDS))
    for key, allowed in (("date_order", get_args(DateOrder)), ("decimal", get_args(DecimalMark))):
        if key in entry and entry[key] not in allowed:
            raise _wrong(where, key, str(entry[key]), " or ".join(allowed))
    return TableMap(
        rows,
        columns,
        str(entry.get("title", "")),
        tuple(entry.get("signature", ())),
        {name: str(value) for name, value in entry.get("constants", {}).items()},
        entry.get("date_order"),
        entry.get("decimal"),
        {name: {str(k): str(v) for k, v in table.items()} for name, table in entry.get("values", {}).items()},
        {str(name): str(why) for name, why in entry.get("left_out", {}).items()},
    )


def _wrong(where: str, key: str | None, value: str | None, expected: str) -> BadInput:
    cure = "docs/reference/column-maps.md explains each key"
    return BadInput(f"{where}: the column map cannot be used", (Problem(where, None, key, value, expected, cure),))


@cache
def ready_maps() -> Mapping[str, ColumnMap]:
    """The maps that ship with the program, by name."""
    found = {}
    for item in sorted(resources.files(__package__).joinpath("maps").iterdir(), key=lambda item: item.name):
        if item.name.endswith(".toml"):
            column_map = parse_map(item.read_text(encoding="utf-8"), item.name)
            found[column_map.name] = column_map
    return found


def load_map(name_or_path: str | Path) -> ColumnMap:
    """A ready map by its name, or a map file. Raises UsageError when it is neither, BadInput when it is damaged."""
    path = Path(name_or_path)
    if path.is_file():
        return parse_map(path.read_text(encoding="utf-8"), path.name)
    if str(name_or_path) in ready_maps():
        return ready_maps()[str(name_or_path)]
    raise UsageError(
        f"{name_or_path}: no such map file, and no ready map of that name; ready: {', '.join(ready_maps())}"
    )
