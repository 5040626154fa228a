"""Reading the frames of the command line's contract row by row, gently: an absent column is None."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import polars as pl

Row = dict[str, Any]


def rows(frame: pl.DataFrame, *, limit: int | None = None) -> Iterator[Row]:
    """The rows as dicts in their order, at most ``limit`` of them."""
    yield from (frame if limit is None else frame.head(limit)).iter_rows(named=True)


def currencies(frame: pl.DataFrame) -> list[str]:
    """The currencies of a frame, the one with the largest open amount first; ties by code."""
    if frame.is_empty() or "currency" not in frame.columns:
        return []
    amount = "open_minor" if "open_minor" in frame.columns else next(c for c in frame.columns if c.endswith("_minor"))
    order = frame.group_by("currency").agg(pl.col(amount).sum()).sort([amount, "currency"], descending=[True, False])
    return [str(currency) for currency in order.get_column("currency")]


def json_or(value: object, default: Any) -> Any:  # noqa: ANN401 - JSON has any shape
    """The value of JSON text; a value that is no text is given back, broken or empty text gives ``default``."""
    if value is None or value == "":
        return default
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return default


def id_list(value: object) -> list[str]:
    """A list column, whether it came as a list or as ``;``-joined text."""
    if value is None:
        return []
    if isinstance(value, str):
        return [part for part in value.split(";") if part]
    return [str(part) for part in value] if isinstance(value, Sequence | pl.Series) else []


def is_today(row: Row, as_of: date) -> bool:
    """Whether a line of the worklist is for the day itself; work inside the house has no sending time and is."""
    when = row.get("send_at")
    if not when:
        return True
    day = date.fromisoformat(when[:10]) if isinstance(when, str) else when.date()
    return bool(day <= as_of)
