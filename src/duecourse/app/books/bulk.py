"""Moving whole ledgers between frames and rows: what a load adds, reading all rows back, and marking the newest.

Called by ``actions`` and ``snapshot`` only. Polars is imported where it is used, so that the web process stays light.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from duecourse.app.books.models import ROWS, BookLoad
from duecourse.ledger.schema import TABLES, Table

if TYPE_CHECKING:
    import polars as pl

Value = TypeVar("Value")
CHUNK = 5_000
PK = "row_pk"


@dataclass(frozen=True)
class Addition:
    """What one table gains by a load: new rows with ``is_newest``, and the keys of stored rows that they supersede."""

    rows: pl.DataFrame
    superseded_pks: list[int]


def stored_rows(entity_id: int, name: str, *, newest_only: bool = False) -> pl.DataFrame:
    """All rows of one table of an entity in the types of the ledger, sorted, with their primary key as ``row_pk``."""
    import polars as pl

    table = TABLES[name]
    found = ROWS[name]._default_manager.filter(legal_entity_id=entity_id)
    if newest_only or "recorded_at" not in table.by_name:
        found = found.filter(is_newest=True)
    schema = {PK: pl.Int64(), **table.dtypes}
    parts, part = [pl.DataFrame(schema=schema)], []
    for row in found.values_list("pk", *table.dtypes).iterator(chunk_size=CHUNK):
        part.append(row)
        if len(part) == CHUNK * 10:
            parts.append(pl.DataFrame(part, schema=schema, orient="row"))
            part = []
    if part:
        parts.append(pl.DataFrame(part, schema=schema, orient="row"))
    return pl.concat(parts).sort(_order(table), nulls_last=False)


def addition(table: Table, stored: pl.DataFrame, given: pl.DataFrame, *, now: datetime) -> Addition:
    """What ``given`` adds to ``stored``.

    A row that says what the stored newest version says is no news. A row that says something else at a time that is
    taken becomes known now: a newer version, which leaves yesterday's view as it was.
    """
    import polars as pl

    versioned = "recorded_at" in table.by_name
    place = [*table.key, *(["recorded_at"] if versioned else [])]
    said = [name for name in table.dtypes if name != "recorded_at"]
    given = given.select(table.dtypes.keys()).with_columns(_content(table, said))
    known = stored.with_columns(_content(table, said))
    newest = known.unique(table.key, keep="last", maintain_order=True)
    news = given.join(known.select(*place, "content"), on=[*place, "content"], how="anti", nulls_equal=True)
    taken = news.join(known.select(place), on=place, how="semi", nulls_equal=True)
    taken = taken.join(newest.select(*table.key, "content"), on=[*table.key, "content"], how="anti")
    fresh = news.join(known.select(place), on=place, how="anti", nulls_equal=True)
    if versioned:
        taken = taken.unique(table.key, keep="last", maintain_order=True).with_columns(
            pl.lit(now).cast(table.dtypes["recorded_at"]).alias("recorded_at")
        )
    added = pl.concat([fresh, taken]).drop("content")
    return _marked(table, stored, added)


def _marked(table: Table, stored: pl.DataFrame, added: pl.DataFrame) -> Addition:
    """The added rows with ``is_newest``, and the stored rows that were the newest of their key and are no longer."""
    import polars as pl

    touched = stored.join(added.select(table.key), on=table.key, how="semi")
    together = pl.concat([touched, added.with_columns(pl.lit(None, pl.Int64).alias(PK))], how="diagonal")
    order = _order(table)
    together = together.with_row_index("place").sort([*order, "place"], nulls_last=False, maintain_order=True)
    last = together.unique(table.key, keep="last", maintain_order=True).get_column("place")
    together = together.with_columns(pl.col("place").is_in(last.implode()).alias("is_newest"))
    were_newest = touched.unique(table.key, keep="last", maintain_order=True).select(PK)
    kept = together.filter(pl.col("is_newest") & pl.col(PK).is_not_null()).select(PK)
    superseded = were_newest.join(kept, on=PK, how="anti").get_column(PK).to_list()
    rows = together.filter(pl.col(PK).is_null()).select(*table.dtypes, "is_newest")
    return Addition(rows, superseded)


def combined(table: Table, stored: pl.DataFrame, added: Addition | None) -> pl.DataFrame:
    """The rows of a table as they would be with the addition; without versions, what is superseded is gone."""
    import polars as pl

    if added is None:
        return stored.drop(PK)
    if "recorded_at" not in table.by_name:
        stored = stored.filter(~pl.col(PK).is_in(added.superseded_pks))
    return pl.concat([stored.drop(PK), added.rows.drop("is_newest")])


def insert(load: BookLoad, additions: Mapping[str, Addition]) -> None:
    """Write the additions of a load. Must run in the transaction of its action."""
    for name, added in additions.items():
        model = ROWS[name]
        for pks in _chunks(added.superseded_pks):
            model._default_manager.filter(pk__in=pks).update(is_newest=False)
        for part in added.rows.iter_slices(CHUNK):
            model._default_manager.bulk_create(
                [
                    model(legal_entity_id=load.entity_id, load_id=load.pk, **row)
                    for row in part.iter_rows(named=True)
                ]
            )  # fmt: skip


def remove(load: BookLoad) -> None:
    """Take the rows of the newest load out and make what they superseded the newest again."""
    for name, model in ROWS.items():
        brought = model._default_manager.filter(load_id=load.pk)
        if not brought.exists():
            continue
        table = TABLES[name]
        keys = set(brought.values_list(*table.key))
        brought.delete()
        for pks in _chunks(_newest_pks(load.entity_id, table, keys)):
            model._default_manager.filter(pk__in=pks).update(is_newest=True)


def _newest_pks(entity_id: int, table: Table, keys: set[tuple[object, ...]]) -> list[int]:
    """Primary keys of the newest remaining rows of these keys."""
    order = ["recorded_at", "pk"] if "recorded_at" in table.by_name else ["pk"]
    newest: dict[tuple[object, ...], tuple[bool, object, int]] = {}
    found = ROWS[table.name]._default_manager.filter(legal_entity_id=entity_id)
    for chunk in _chunks(sorted({key[0] for key in keys}, key=str)):
        rows = found.filter(**{f"{table.key[0]}__in": chunk}).values_list(*table.key, *order)
        for row in rows:
            key, rest = row[: len(table.key)], row[len(table.key) :]
            if key in keys:
                time = rest[0] if len(rest) == 2 else 0
                rank = (time is not None, time if time is not None else 0, rest[-1])
                newest[key] = max(newest.get(key, rank), rank)
    return sorted(rank[2] for rank in newest.values())


def _chunks(values: list[Value]) -> Iterator[list[Value]]:
    for start in range(0, len(values), 500):
        yield values[start : start + 500]


def _order(table: Table) -> list[str]:
    return [*table.key, "recorded_at"] if "recorded_at" in table.by_name else list(table.key)


def _content(table: Table, names: list[str]) -> pl.Expr:
    """All that a row says, as one value that can be compared: lists as text, numbers as they are."""
    import polars as pl

    parts = [
        pl.col(name).list.eval(pl.element().str.len_bytes().cast(pl.String) + ":" + pl.element()).list.join("")
        if isinstance(table.dtypes[name], pl.List)
        else pl.col(name).cast(pl.String)
        for name in names
    ]
    # Each part says how long it is, so that two different rows cannot read the same.
    sized = [
        pl.when(part.is_null()).then(pl.lit("-")).otherwise(part.str.len_bytes().cast(pl.String) + ":" + part)
        for part in parts
    ]
    return pl.concat_str(sized).alias("content")
