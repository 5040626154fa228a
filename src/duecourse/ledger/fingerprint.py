"""Canonical bytes of a column, so that equal content has an equal hash whatever buffers or files it came from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl


def column_bytes(column: pl.Series) -> Iterator[bytes]:
    """Bytes that determine the values of ``column``: which are null, the values, and for text and lists the lengths.

    The in-memory or IPC form will not do: a filtered text column still carries the bytes of the rows that were
    filtered out, so its hash would change with facts that the view does not hold.
    """
    yield np.packbits(column.is_null().to_numpy()).tobytes()
    if column.dtype == pl.Null:
        return
    if isinstance(column.dtype, pl.List):
        yield from column_bytes(column.list.len().fill_null(0))
        yield from column_bytes(column.list.explode(empty_as_null=False, keep_nulls=False))
    elif isinstance(column.dtype, pl.Struct):
        for field in column.struct.fields:
            yield field.encode()
            yield from column_bytes(column.struct.field(field))
    elif column.dtype.is_temporal() or column.dtype.is_integer() or column.dtype == pl.Boolean:
        physical = column.to_physical().cast(pl.Int64)
        yield np.ascontiguousarray(physical.fill_null(0).to_numpy()).tobytes()
    elif column.dtype.is_float():
        yield np.ascontiguousarray(column.cast(pl.Float64).fill_null(0.0).to_numpy() + 0.0).tobytes()
    else:
        text = column.cast(pl.String).fill_null("")
        yield np.ascontiguousarray(text.str.len_bytes().to_numpy()).tobytes()
        yield str(text.str.join("").item() if len(text) else "").encode()
