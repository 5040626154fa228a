"""The track record of the cash forecast: what was said, what came, all simple methods beside it, and why it moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
from markupsafe import Markup

from duecourse.reports.charts import Fan, fan_chart
from duecourse.reports.charts.svg import Box
from duecourse.reports.run_data import RunReport
from duecourse.reports.sections.frames import Row
from duecourse.reports.sections.honesty import Cell, Measure, MethodTable
from duecourse.reports.wording import Wording

if TYPE_CHECKING:
    from duecourse.science.forecast.movement import Movement
    from duecourse.science.forecast.track_record import TrackRecord

WEEKS_DRAWN = 26
FEWEST_SCORED = 3  # fewer snapshots than that are no column of the table
CUSTOMERS_OF_A_MISS = 5
COLUMNS = (
    ((0, 7), "Week 1"), ((7, 14), "Week 2"), ((14, 21), "Week 3"), ((21, 28), "Week 4"),
    ((0, 28), "4 weeks"), ((0, 91), "13 weeks"),
)  # fmt: skip
STEPS: Mapping[str, tuple[str, str]] = {
    "cash_received": ("Cash that came since", "invoices that paid leave the outlook"),
    "time_passing": ("Time passing", "what has not paid comes nearer, with unchanged habits"),
    "new_invoices": ("New invoices", "issued since, less what was set aside for them"),
    "credits_disputes_promises": ("Credits, disputes, promises", "amounts that changed without cash, promised days"),
    "changed_curves": ("Changed expectations", "new facts about customers, with the model of last week"),
    "inflow_rate": ("Business still to come", "rate and pace of invoices that are not issued yet"),
    "model_refit": ("Model learnt again", "the new model on the same facts"),
}


@dataclass(frozen=True, slots=True)
class Miss:
    """The week that was furthest off: what was said, what came, and who made the difference."""

    first: Any
    last: Any
    expected_minor: int
    actual_minor: int
    share: float
    inside: bool
    customers: Sequence[tuple[str, int, int, int]]


@dataclass(frozen=True, slots=True)
class CurrencyRecord:
    """The track record of one currency."""

    currency: str
    wide: Markup
    narrow: Markup
    table: MethodTable
    bands: Sequence[Sequence[str]]
    miss: Miss | None
    weeks: int
    inside: int


@dataclass(frozen=True, slots=True)
class Moved:
    """The change of one currency's outlook: its steps with their meaning, and the customers with the largest share.

    ``band_minor``: what the middle of the band (P50) moved more than the mean.
    """

    movement: Movement
    steps: Sequence[tuple[str, str, int]]
    customers: Sequence[tuple[str, str, int]]
    change_minor: int
    band_minor: int | None


def forecast_record_values(report: RunReport) -> dict[str, Any]:
    """What ``forecast_record.html`` reads."""
    words = Wording(report.locale)
    track = report.track
    found = [] if track is None or track.scores.is_empty() else _currencies(report, track, words)
    shares = "" if track is None else _shares_text(track, words)
    return {
        "books": found,
        "first": track.records[0].as_of if track and track.records else None,
        "last": track.records[-1].as_of if track and track.records else None,
        "snapshots": len(track.records) if track else 0,
        "verdicts": [] if track is None else list(track.verdicts),
        "alarms": [] if track is None else [str(alarm) for alarm in track.alarms],
        "shares": shares,
        "moved": [_moved(one, report) for one in report.movements],
    }


def _shares_text(track: TrackRecord, words: Wording) -> str:
    everybody, customer, batch = (
        words.percent(share) for share in (track.shares.everybody, track.shares.customer, track.shares.batch)
    )
    return (
        f"{everybody} of what moves a payment day is taken as shared by everybody, {customer} by a customer's invoices "
        f"and {batch} by those of one pay-run ({track.shares_id})"
    )


def _currencies(report: RunReport, track: TrackRecord, words: Wording) -> list[CurrencyRecord]:
    order = track.scores.get_column("currency").value_counts().sort("count", "currency", descending=[True, False])
    return [_record(report, track, str(currency), words) for currency in order.get_column("currency")]


def _record(report: RunReport, track: TrackRecord, currency: str, words: Wording) -> CurrencyRecord:
    from duecourse.science.forecast.scoring import latest

    total = latest(track.scores).filter((pl.col("currency") == currency) & (pl.col("part") == "total"))
    weeks = (
        total.filter((pl.col("first_day") == 0) & (pl.col("last_day") == 7) & (pl.col("method") == "model"))
        .sort("as_of")
        .tail(WEEKS_DRAWN)
    )
    rows = list(weeks.iter_rows(named=True))
    return CurrencyRecord(
        currency=currency,
        wide=_chart(rows, currency, words, Box(width=960, height=260, left=62), "wide"),
        narrow=_chart(rows, currency, words, Box(width=340, height=220, left=52), "narrow"),
        table=_methods(track.table, currency, words),
        bands=_bands(track.table, currency, words),
        miss=_worst(report, track, currency, rows),
        weeks=len(rows),
        inside=sum(_inside(row) for row in rows),
    )


def _inside(row: Row) -> bool:
    return bool(row["p10_minor"] <= row["actual_minor"] <= row["p90_minor"])


def _chart(rows: Sequence[Row], currency: str, words: Wording, box: Box, kind: str) -> Markup:
    if not rows:
        return Markup("")
    fan = Fan(
        [words.short_day(row["as_of"]) for row in rows],
        [float(row["mean_minor"]) for row in rows],
        [float(row["p10_minor"]) for row in rows],
        [float(row["p90_minor"]) for row in rows],
        came=[float(row["actual_minor"]) for row in rows],
    )
    inside = sum(_inside(row) for row in rows)
    return fan_chart(
        f"record-{currency}-{kind}",
        fan,
        title=f"Forecast of the coming week and what came, {currency}",
        description=f"{len(rows)} weeks; what came lay inside the band in {inside} of them.",
        label=lambda minor: words.short(minor, currency),
        box=box,
        kind=f"chart {kind}",
    )


def _methods(table: pl.DataFrame, currency: str, words: Wording) -> MethodTable:
    """Every method's error of all cash, window by window; a column needs three snapshots."""
    from duecourse.science.forecast.baselines import LABELS

    total = table.filter((pl.col("currency") == currency) & (pl.col("part") == "total"))
    figures = {(row["method"], (row["first_day"], row["last_day"])): row for row in total.iter_rows(named=True)}
    used = [
        (window, name) for window, name in COLUMNS
        if figures.get(("model", window), {"snapshots": 0})["snapshots"] >= FEWEST_SCORED
    ]  # fmt: skip
    # The independent draws have the model's means: they differ in the band alone, which the second table shows.
    methods = [method for method in LABELS if method != "independent" and any((method, w) in figures for w, _ in used)]
    best = {
        window: min(
            (value for method in methods if (value := _wape(figures, method, window)) is not None), default=None
        )
        for window, _ in used
    }
    rows = []
    for method in methods:
        values = [_wape(figures, method, window) for window, _ in used]
        cells = [
            Cell(words.percent(value, 1), value is not None and value == best[window])
            for value, (window, _) in zip(values, used, strict=True)
        ]
        rows.append((_capital(LABELS[method]) if method != "model" else LABELS[method], cells))
    measures = [
        Measure(
            (), name, f"sum of absolute errors / sum of cash over {figures['model', window]['snapshots']} forecasts"
        )
        for window, name in used
    ]
    return MethodTable(f"Error of all cash in {currency}, as a share of what came", measures, rows)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _wape(figures: Mapping[Any, Row], method: str, window: tuple[int, int]) -> float | None:
    value = figures.get((method, window), {}).get("wape")
    return None if value is None else float(value)


def _bands(table: pl.DataFrame, currency: str, words: Wording) -> list[list[str]]:
    """Window, forecasts, inside, below, above, width, and inside with independent customers."""
    total = table.filter((pl.col("currency") == currency) & (pl.col("part") == "total"))
    figures = {(row["method"], (row["first_day"], row["last_day"])): row for row in total.iter_rows(named=True)}
    rows = []
    for window, name in COLUMNS:
        model, free = figures.get(("model", window)), figures.get(("independent", window))
        if model and free and model["snapshots"] >= FEWEST_SCORED:
            shares = [words.percent(model[key]) for key in ("coverage", "below", "above", "width")]
            rows.append([name, words.count(model["snapshots"]), *shares, words.percent(free["coverage"])])
    return rows


def _worst(report: RunReport, track: TrackRecord, currency: str, rows: Sequence[Row]) -> Miss | None:
    from duecourse.science.forecast.scoring import misses

    known = [row for row in rows if row["actual_minor"] > 0]
    if not known:
        return None
    worst = max(known, key=lambda row: abs(row["mean_minor"] - row["actual_minor"]) / row["actual_minor"])
    customers: list[tuple[str, int, int, int]] = []
    record = next((one for one in track.records if one.record_id == worst["record_id"]), None)
    if record is not None and report.received.height:
        found = misses(record, report.received, 0).filter(pl.col("currency") == currency).head(CUSTOMERS_OF_A_MISS)
        customers = [
            (_named(row["parent_id"], report), row["expected_minor"], row["received_minor"], row["miss_minor"])
            for row in found.iter_rows(named=True)
        ]
    off = abs(worst["mean_minor"] - worst["actual_minor"]) / worst["actual_minor"]
    return Miss(
        worst["as_of"], worst["as_of"] + timedelta(days=6), worst["mean_minor"], worst["actual_minor"], off,
        _inside(worst), customers,
    )  # fmt: skip


def _named(parent_id: str | None, report: RunReport) -> str:
    if parent_id is None:
        return "Invoices not issued at the time"
    return report.names.get(parent_id, parent_id)


def _moved(one: Movement, report: RunReport) -> Moved:
    from duecourse.science.forecast.bridge import by_step, movers

    lines = dict(by_step(one.steps).iter_rows())
    band = lines.pop("band_shift", None)
    steps = [(*STEPS[step], minor) for step, minor in lines.items()]
    customers = [
        (_named(row["parent_id"], report), STEPS[row["main_step"]][0], row["change_minor"])
        for row in movers(one.steps).iter_rows(named=True)
    ]
    return Moved(one, steps, customers, sum(lines.values()), band)
