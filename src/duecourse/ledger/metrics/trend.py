"""Any measure month by month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Protocol

import polars as pl

from duecourse.ledger.metrics.books import Books, Source, books_of, trend_days


class Measure(Protocol):
    """A function of this package that takes a past day and levels."""

    def __call__(self, source: Source, *, at: date | None = None, by: Sequence[str] = ()) -> pl.DataFrame:
        """The measure at the start of ``at``."""
        ...


def trend(
    measure: Measure,
    source: Source,
    *,
    at: date | None = None,
    by: Sequence[str] = (),
    months: int = 12,
    **options: Any,  # noqa: ANN401 - whatever the measure takes
) -> pl.DataFrame:
    """``measure`` at the last ``months`` month starts before ``at`` and at ``at``, oldest first, in column ``on``.

    Restated: every month is computed from what is known in the view, so a payment that was booked late counts on its
    own day. Unit and columns: those of the measure.
    """
    books: Books = books_of(source)
    days = trend_days(at or books.view.as_of, months)
    return pl.concat(measure(books, at=day, by=by, **options).select(pl.lit(day).alias("on"), pl.all()) for day in days)
