"""``freeze``: a forecast as an immutable record that can be scored when its windows are mature.

A record holds what was expected (mean, P10, P50, P90 and a sample of the draws per window, for the model and for every
simple method), from what (day, content hash of the books, model, shares, seed), and of each open invoice just enough to
judge dependence and to name the customers of a miss: amount and P(paid) by the ends of the four coming weeks.
Its id is the SHA-256 of all that. A record that was changed afterwards no longer has its own id and is refused.

Window a-b means the days ``as_of`` + a .. ``as_of`` + b - 1. Part ``open``: cash from invoices that the books knew at
``as_of``; part ``total``: all cash from invoices.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from duecourse.core.errors import BadInput
from duecourse.core.ids import sha256_hex
from duecourse.ledger.as_of import View
from duecourse.science.forecast.baselines import Expected, simple_forecasts
from duecourse.science.forecast.book import open_items, past_invoices
from duecourse.science.forecast.cash import CashBands, Extras, no_items, no_past, open_mean
from duecourse.science.forecast.inflow_draws import simulate_inflow
from duecourse.science.forecast.open_book import INDEPENDENT, Integers, OpenItems, Shares, simulate_open_book
from duecourse.science.forecast.received import cash_received

OPEN_WINDOWS = ((0, 7), (7, 14), (14, 21), (21, 28), (0, 14), (0, 28), (0, 30))
WEEKS = tuple((7 * week, 7 * week + 7) for week in range(13))
TOTAL_WINDOWS = (*WEEKS, (0, 14), (0, 28), (0, 91))
EDGES = (7, 14, 21, 28)  # days after which P(paid) of each open invoice is kept
SAMPLE = 100  # draws that a record keeps of each window: the middles of 100 equal slices of the sorted draws
INDEPENDENT_DRAWS = 250  # the comparison without dependence needs no more
VERSION = 1
DEFAULT_SHARES = "default"

WINDOW_COLUMNS: Mapping[str, Any] = {
    "currency": pl.String(), "part": pl.String(), "first_day": pl.Int64(), "last_day": pl.Int64(),
    "method": pl.String(), "mean_minor": pl.Int64(), "p10_minor": pl.Int64(), "p50_minor": pl.Int64(),
    "p90_minor": pl.Int64(), "sample_minor": pl.List(pl.Int64()),
}  # fmt: skip
ITEM_COLUMNS: Mapping[str, Any] = {
    "currency": pl.String(), "invoice_id": pl.String(), "parent_id": pl.String(), "due_on": pl.Date(),
    "amount_minor": pl.Int64(), **{f"paid_by_{edge}": pl.Float64() for edge in EDGES},
}  # fmt: skip


@dataclass(frozen=True)
class ForecastSummary:
    """One forecast as it was made: the books, the curves, the bands of ``forecast_book`` and how they were drawn.

    ``shares_id`` says where the shares come from ("default", or "fitted on 16 mature forecasts of this book");
    ``extras`` what else the bands knew.
    """

    view: View
    curves: pl.DataFrame
    bands: Mapping[str, CashBands]
    model_id: str
    seed: int
    draws: int
    shares: Shares = field(default_factory=Shares)
    shares_id: str = DEFAULT_SHARES
    extras: Extras | None = None


@dataclass(frozen=True)
class ForecastRecord:
    """A frozen forecast. ``windows`` has the columns ``WINDOW_COLUMNS``, ``items`` those of ``ITEM_COLUMNS``."""

    as_of: date
    snapshot_id: str
    model_id: str
    shares: Shares
    shares_id: str
    seed: int
    draws: int
    windows: pl.DataFrame
    items: pl.DataFrame

    @cached_property
    def record_id(self) -> str:
        """SHA-256 of the content: equal forecasts have equal ids, and a changed one has another."""
        return sha256_hex(_canonical(self.content()).encode())

    def content(self) -> dict[str, Any]:
        """Everything but the id, in JSON types; tables by column."""
        return {
            "version": VERSION, "as_of": self.as_of.isoformat(), "snapshot_id": self.snapshot_id,
            "model_id": self.model_id, "shares": asdict(self.shares), "shares_id": self.shares_id,
            "seed": self.seed, "draws": self.draws, "windows": self.windows.to_dict(as_series=False),
            "items": self.items.with_columns(pl.col("due_on").dt.to_string("%Y-%m-%d")).to_dict(as_series=False),
        }  # fmt: skip

    def to_json(self) -> str:
        """The record as JSON text with its id; the same record gives the same bytes."""
        return _canonical({"record_id": self.record_id, **self.content()}) + "\n"

    @classmethod
    def from_json(cls, text: str, *, where: str = "forecast record") -> ForecastRecord:
        """The record of ``to_json``. Raises BadInput for other text and for a record that was changed."""
        try:
            read = json.loads(text)
            record = cls._of_content(read)
            found = str(read["record_id"])
        except (ValueError, KeyError, TypeError, AttributeError, pl.exceptions.PolarsError) as error:
            raise BadInput(
                f"{where}: not a forecast record of this version ({type(error).__name__}: {error}); expected the "
                "forecast_record.json that `forecast` writes"
            ) from error
        if found != record.record_id:
            raise BadInput(
                f"{where}: the record was changed after it was frozen (its content no longer has the id {found[:16]}); "
                "put the original back, or leave it out: a forecast that was edited cannot be scored"
            )
        return record

    @classmethod
    def _of_content(cls, read: Mapping[str, Any]) -> ForecastRecord:
        if read["version"] != VERSION:
            raise ValueError(f"version {read['version']}, expected {VERSION}")
        items = pl.DataFrame(read["items"], schema={**ITEM_COLUMNS, "due_on": pl.String()})
        return cls(
            as_of=date.fromisoformat(read["as_of"]), snapshot_id=str(read["snapshot_id"]),
            model_id=str(read["model_id"]), shares=Shares(**read["shares"]), shares_id=str(read["shares_id"]),
            seed=int(read["seed"]), draws=int(read["draws"]),
            windows=pl.DataFrame(read["windows"], schema=dict(WINDOW_COLUMNS)),
            items=items.with_columns(pl.col("due_on").str.to_date("%Y-%m-%d")),
        )  # fmt: skip

    def to_frame(self) -> pl.DataFrame:
        """The record as one row, for Parquet: the header fields, and the two tables as lists of structs."""
        head = {key: value for key, value in self.content().items() if key not in ("windows", "items")}
        return pl.DataFrame(
            {"record_id": [self.record_id], **{key: [value] for key, value in head.items()}}
        ).with_columns(self.windows.to_struct("windows").implode(), self.items.to_struct("items").implode())

    @classmethod
    def from_frame(cls, frame: pl.DataFrame, *, where: str = "forecast record") -> ForecastRecord:
        """The record of ``to_frame``. Raises BadInput for a record that was changed."""
        row = frame.row(0, named=True)
        tables = {
            "windows": frame.get_column("windows").explode().struct.unnest().to_dict(as_series=False),
            "items": frame.get_column("items")
            .explode()
            .struct.unnest()
            .with_columns(pl.col("due_on").dt.to_string("%Y-%m-%d"))
            .to_dict(as_series=False),
        }
        return cls.from_json(json.dumps({**row, **tables}), where=where)


def _canonical(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def freeze(summary: ForecastSummary) -> ForecastRecord:
    """The record of a forecast: its windows as far as its days reach, with all simple methods from the same view."""
    view, extras = summary.view, summary.extras or Extras()
    items = open_items(view, summary.curves, payable=extras.payable)
    past = past_invoices(view, holidays=extras.holidays)
    days = max((len(band.open_mean_minor) for band in summary.bands.values()), default=0)
    simple = simple_forecasts(view, past, cash_received(view), days)
    rows: list[tuple[Any, ...]] = []
    for currency in sorted(summary.bands):
        band = summary.bands[currency]
        book, before = items.get(currency, no_items(days)), past.get(currency, no_past(view.as_of))
        rows += _open_rows(summary, currency, book, band)
        few = min(summary.draws, INDEPENDENT_DRAWS)
        free = simulate_open_book(book, days=days, draws=few, seed=summary.seed, shares=INDEPENDENT)
        free += simulate_inflow(before, days=days, draws=few, seed=summary.seed, shares=INDEPENDENT)
        mean = band.open_mean_minor + band.new_mean_minor
        rows += _drawn(currency, "total", "model", TOTAL_WINDOWS, (mean, band.draws_minor))
        rows += _drawn(currency, "total", "independent", TOTAL_WINDOWS, (mean, free))
        rows += _simple_rows(currency, simple.get(currency, {}), days)
    return ForecastRecord(
        as_of=view.as_of, snapshot_id=view.snapshot_id, model_id=summary.model_id, shares=summary.shares,
        shares_id=summary.shares_id, seed=summary.seed, draws=summary.draws,
        windows=pl.DataFrame(rows, schema=dict(WINDOW_COLUMNS), orient="row"), items=_item_frame(items),
    )  # fmt: skip


def _open_rows(summary: ForecastSummary, currency: str, book: OpenItems, band: CashBands) -> list[tuple[Any, ...]]:
    """The part ``open``: every invoice that is known, issued or not."""
    days = min(len(band.open_mean_minor), max(last for _, last in OPEN_WINDOWS))
    mean = open_mean(book, days)
    rows = []
    for method, shares in (("model", summary.shares), ("independent", INDEPENDENT)):
        draws = band.open_draws_minor if method == "model" else None
        if draws is None:
            draws = simulate_open_book(book, days=days, draws=summary.draws, seed=summary.seed, shares=shares)
        rows += _drawn(currency, "open", method, OPEN_WINDOWS, (mean, draws))
    return rows


def _drawn(
    currency: str, part: str, method: str, windows: tuple[tuple[int, int], ...], forecast: tuple[Integers, Integers]
) -> list[tuple[Any, ...]]:
    mean, draws = forecast
    rows = []
    for first, last in windows:
        if last <= len(mean):
            sums = draws[:, first:last].sum(axis=1)
            bands = [round(float(q)) for q in np.quantile(sums, (0.1, 0.5, 0.9))]
            sample = np.rint(np.quantile(sums, (np.arange(SAMPLE) + 0.5) / SAMPLE)).astype(np.int64).tolist()
            rows.append((currency, part, first, last, method, int(mean[first:last].sum()), *bands, sample))
    return rows


def _simple_rows(currency: str, methods: Mapping[str, Expected], days: int) -> list[tuple[Any, ...]]:
    rows = []
    for method, expected in methods.items():
        for part, daily, windows in (
            ("open", expected.open_daily, OPEN_WINDOWS),
            ("total", expected.daily, TOTAL_WINDOWS),
        ):
            rows += [
                (currency, part, first, last, method, round(float(daily[first:last].sum())), None, None, None, None)
                for first, last in windows
                if daily is not None and last <= days
            ]
    return rows


def _item_frame(items: Mapping[str, OpenItems]) -> pl.DataFrame:
    parts = [pl.DataFrame(schema=dict(ITEM_COLUMNS))]
    for currency, book in sorted(items.items()):
        curves = {f"paid_by_{edge}": np.round(book.cdf[:, min(edge, book.cdf.shape[1]) - 1], 9) for edge in EDGES}
        columns = {
            "currency": [currency] * len(book.invoice_id), "invoice_id": book.invoice_id, "parent_id": book.parent_id,
            "due_on": pl.Series(book.due_day).cast(pl.Int32).cast(pl.Date), "amount_minor": book.amount_minor, **curves,
        }  # fmt: skip
        parts.append(pl.DataFrame(columns, schema=dict(ITEM_COLUMNS)))
    return pl.concat(parts)
