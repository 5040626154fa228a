"""``Ledger`` holds every fact with both its times; ``as_of`` gives the ``View`` that was known at the start of a day.

A row is visible iff ``recorded_at < as_of`` (start of that day, UTC in a ledger directory). Of several versions of one
id the newest visible one counts; a row voided before ``as_of`` is gone. A date that a row gained later
(``reversed_on``, ``closed_on``, ``voided_at`` ...) is empty in every view before that date. Everything that duecourse
computes starts from a ``View``, so that what was not known cannot be seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property

import polars as pl

from duecourse.core.ids import sha256_hex
from duecourse.ledger.fingerprint import column_bytes
from duecourse.ledger.schema import TABLES, Table


def start_of_day(day: date) -> datetime:
    """Midnight UTC at which ``day`` begins: nothing recorded from then on is visible at ``as_of = day``."""
    return datetime.combine(day, time.min, tzinfo=UTC)


def with_recorded_at(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """``frame`` with every missing ``recorded_at`` set to the row's own date (start of that day)."""
    if table.known_from is None or "recorded_at" not in table.by_name:
        return frame
    own_time = pl.col(table.known_from).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if table.by_name[table.known_from].kind == "timestamp":
        own_time = pl.col(table.known_from)
    return frame.with_columns(pl.coalesce("recorded_at", own_time).alias("recorded_at"))


@dataclass(frozen=True)
class View:
    """The books as they were known at the start of ``as_of``; one visible version of each row.

    ``table(name)`` gives a frame with at least the columns of the contract, sorted by the table's key. Tables with a
    ``recorded_at`` also have ``first_recorded_at``: when the oldest version of the row became known.
    """

    as_of: date
    tables: Mapping[str, pl.DataFrame]

    def table(self, name: str) -> pl.DataFrame:
        """Visible rows of one table; an empty frame where the ledger has no such table."""
        frame = self.tables.get(name)
        if frame is not None:
            return frame
        empty = TABLES[name].empty()
        return empty.with_columns(first_recorded_at="recorded_at") if "recorded_at" in empty.columns else empty

    @cached_property
    def snapshot_id(self) -> str:
        """SHA-256 over the visible content: equal views have equal ids, whatever file form they came from."""
        parts = [self.as_of.isoformat().encode()]
        for name in sorted(self.tables):
            frame = self.tables[name]
            if frame.height:
                parts.append(name.encode())
                for column in sorted(set(frame.columns) - {"first_recorded_at"}):
                    values = frame.get_column(column)
                    if column not in TABLES[name].by_name and not values.dtype.is_nested():
                        values = values.cast(pl.String)  # a CSV file cannot say which type a column of one's own has
                    parts += [column.encode(), *column_bytes(values)]
        return sha256_hex(*parts)


@dataclass(frozen=True)
class Ledger:
    """All facts and all versions, immutable: table name -> frame in the types of ``ledger.schema``.

    Build one with ``Ledger.from_frames`` (or ``ledger.load.load_ledger``), which completes columns and ``recorded_at``.
    """

    tables: Mapping[str, pl.DataFrame]
    has_versions: frozenset[str]

    @classmethod
    def from_frames(cls, frames: Mapping[str, pl.DataFrame]) -> Ledger:
        """A ledger from typed frames; absent columns become null, unknown columns are kept.

        Raises KeyError for an unknown table and polars.exceptions.InvalidOperationError for an uncastable column:
        strict reading of files, with problems reported, is ``ledger.load``.
        """
        complete: dict[str, pl.DataFrame] = {}
        versions: set[str] = set()
        for name, frame in frames.items():
            table = TABLES[name]
            typed = frame.with_columns(
                pl.col(column).cast(dtype) if column in frame.columns else pl.lit(None, dtype=dtype).alias(column)
                for column, dtype in table.dtypes.items()
            )
            extra = [column for column in frame.columns if column not in table.by_name]
            typed = with_recorded_at(typed.select(*table.dtypes, *extra), table)
            order = [*table.key, "recorded_at"] if "recorded_at" in table.by_name else list(table.key)
            complete[name] = typed.sort(order, nulls_last=False, maintain_order=True)
            if typed.select(table.key).is_duplicated().any():
                versions.add(name)
        return cls(complete, frozenset(versions))

    def table(self, name: str) -> pl.DataFrame:
        """All rows and versions of one table; an empty frame where the ledger has no such table."""
        frame = self.tables.get(name)
        return TABLES[name].empty() if frame is None else frame

    def as_of(self, day: date) -> View:
        """What was known at the start of ``day``."""
        visible: dict[str, pl.DataFrame] = {}
        for name, frame in self.tables.items():
            if TABLES[name].parent is None:
                visible[name] = self._visible(name, frame, start_of_day(day))
        for name, frame in self.tables.items():
            parent = TABLES[name].parent
            if parent is not None:
                key = TABLES[parent].key[0]
                seen = visible.get(parent, TABLES[parent].empty()).get_column(key)
                visible[name] = frame.filter(pl.col(key).is_in(seen.implode()))
        return View(day, visible)

    def _visible(self, name: str, frame: pl.DataFrame, moment: datetime) -> pl.DataFrame:
        known = frame.filter(pl.col("recorded_at").is_null() | (pl.col("recorded_at") < moment))
        first = known
        if name in self.has_versions:  # rows are sorted by (key, recorded_at): the last of each key is the newest
            first = known.unique(TABLES[name].key, keep="first", maintain_order=True)
            known = known.unique(TABLES[name].key, keep="last", maintain_order=True)
        known = known.with_columns(first.get_column("recorded_at").alias("first_recorded_at"))
        not_voided = known.filter(pl.col("voided_at").is_null() | (pl.col("voided_at") >= moment))
        return _without_later(not_voided, TABLES[name], moment)

    def last_known(self) -> date | None:
        """The last day on which anything about invoices or money was recorded; None for an empty ledger."""
        days = [
            value.date()
            for name in ("invoices", "payments", "allocations", "credits")
            if isinstance(value := self.table(name).get_column("recorded_at").max(), datetime)
        ]
        return max(days, default=None)


def _without_later(frame: pl.DataFrame, table: Table, moment: datetime) -> pl.DataFrame:
    """``frame`` with every date that lies at or after ``moment``, and what became known with it, set to null."""
    masked = []
    for column, with_it in table.later.items():
        if frame.get_column(column).null_count() == frame.height:
            continue
        limit = moment if table.by_name[column].kind == "timestamp" else moment.date()
        ahead = (pl.col(column) >= limit).fill_null(False)
        masked += [pl.when(~ahead).then(pl.col(name)).alias(name) for name in (column, *with_it)]
    return frame.with_columns(masked) if masked else frame
