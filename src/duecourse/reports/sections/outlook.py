"""Headline figures, and the cash that the open book will bring: weeks with their band, days one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl
from markupsafe import Markup

from duecourse.reports.charts import Bar, Fan, ageing_bar, bar_chart, fan_chart
from duecourse.reports.charts.svg import Box
from duecourse.reports.run_data import Headline, RunReport
from duecourse.reports.sections.frames import Row, currencies, is_today, rows
from duecourse.reports.wording import Wording

WEEKS_SHOWN = 13
DAYS_SHOWN = 42
WINDOWS = (7, 14, 30)
AGES = (
    ("Current", None, 0),
    ("1-30 days", 1, 30),
    ("31-60 days", 31, 60),
    ("61-90 days", 61, 90),
    ("91+ days", 91, None),
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One headline figure: label, value, a note below, and whether it is the one to read first."""

    label: str
    value: str
    note: str = ""
    key: bool = False
    exact: str = ""


@dataclass(frozen=True, slots=True)
class CurrencyHeadlines:
    """The tiles of one currency and its ageing bar."""

    currency: str
    tiles: Sequence[Tile]
    ageing_wide: Markup
    ageing_narrow: Markup
    buckets: Sequence[tuple[str, int, int, float]]


def headline_values(report: RunReport, worth: Tile | None) -> dict[str, Any]:
    """What ``headline.html`` reads. ``worth`` is the tile that says what the model is worth."""
    measured = {one.currency: one for one in (report.headlines or headlines_from_audit(report.audit))}
    books = [
        # The backtest judges the whole book, not one currency: its tile stands once.
        _book(report, currency, measured.get(currency, Headline(currency=currency)), None if order else worth)
        for order, currency in enumerate(currencies(report.scores))
    ]
    return {
        "books": books,
        "notices": report.notices,
        "contacts": report.worklist.height,
        "today": sum(1 for row in rows(report.worklist) if is_today(row, report.identity.as_of)),
        "left_alone": report.not_worked.height,
        "customers": report.scores.get_column("customer_id").n_unique() if report.scores.height else 0,
        "as_of": report.identity.as_of,
    }


def headlines_from_audit(audit: Mapping[str, Any] | None) -> list[Headline]:
    """The measured figures of each currency from ``Audit.to_dict()``; none without an audit."""
    found = []
    for book in (audit or {}).get("books", []):
        figures = {figure["key"]: figure["value"] for figure in book.get("figures", [])}
        late: Mapping[str, Any] = next((one for one in book.get("late", []) if one.get("more_than_days") == 0), {})
        found.append(
            Headline(
                currency=book["currency"],
                dso_days=figures.get("dso_countback") or figures.get("dso_simple"),
                best_possible_dso_days=figures.get("best_possible_dso"),
                average_days_delinquent=figures.get("average_days_delinquent"),
                cei=figures.get("cei"),
                late_share=late.get("count_share"),
                late_share_of=int(late.get("invoices") or 0),
                days_to_pay_median=figures.get("days_to_pay_km_median"),
            )
        )
    return found


def _book(report: RunReport, currency: str, measured: Headline, worth: Tile | None) -> CurrencyHeadlines:
    words = Wording(report.locale)
    mine = report.scores.filter(pl.col("currency") == currency)
    overdue = mine.filter(pl.col("days_late") > 0)
    open_minor, overdue_minor = int(mine["open_minor"].sum()), int(overdue["open_minor"].sum())
    tiles = [
        Tile("Open", words.short(open_minor, currency), exact=words.exact(open_minor, currency),
             note=f"{words.plural(mine.height, 'invoice')} of "
                  f"{words.plural(mine['customer_id'].n_unique(), 'customer')}"),
        Tile("Overdue", words.short(overdue_minor, currency), exact=words.exact(overdue_minor, currency),
             note=f"{words.percent(overdue_minor / open_minor if open_minor else None)} of open, "
                  f"{words.plural(overdue.height, 'invoice')}"),
        *_expected(report, currency, open_minor, words),
        Tile("DSO", words.days(measured.dso_days), note=_dso_note(measured, words)),
        Tile("Paid late", words.percent(measured.late_share),
             note=f"of {words.plural(measured.late_share_of, 'invoice')} due in the last 12 months"
             if measured.late_share_of else "not enough settled invoices"),
    ]  # fmt: skip
    if worth is not None:
        tiles.append(worth)
    wide, narrow, buckets = _ageing(mine, currency, words)
    return CurrencyHeadlines(currency, tiles, wide, narrow, buckets)


def _dso_note(measured: Headline, words: Wording) -> str:
    if measured.dso_days is None:
        return "not measured; see problems in the data"
    best = measured.best_possible_dso_days
    return "count-back" if best is None else f"count-back; {words.days(best)} at best if nobody paid late"


def _expected(report: RunReport, currency: str, open_minor: int, words: Wording) -> list[Tile]:
    tiles = []
    for days in WINDOWS:
        label = f"Expected in {days} days"
        if report.cash_daily.is_empty():
            tiles.append(Tile(label, words.short(None, currency), "no forecast"))
            continue
        end = report.identity.as_of + timedelta(days=days)
        inside = report.cash_daily.filter((pl.col("currency") == currency) & (pl.col("date") < end))
        minor = int(inside["open_mean_minor"].sum())
        share = words.percent(minor / open_minor if open_minor else None)
        note = f"{share} of open, until {words.short_day(end - timedelta(days=1))}"
        tiles.append(Tile(label, words.short(minor, currency), note, exact=words.exact(minor, currency)))
    return tiles


def _ageing(
    mine: pl.DataFrame, currency: str, words: Wording
) -> tuple[Markup, Markup, list[tuple[str, int, int, float]]]:
    buckets: list[tuple[str, int, int, float]] = []
    total = int(mine["open_minor"].sum())
    for name, low, high in AGES:
        inside = mine
        if low is not None:
            inside = inside.filter(pl.col("days_late") >= low)
        if high is not None:
            inside = inside.filter(pl.col("days_late") <= high)
        minor = int(inside["open_minor"].sum())
        buckets.append((name, inside.height, minor, minor / total if total else 0.0))
    wide, narrow = (
        ageing_bar(
            f"ageing-{currency}-{kind}",
            [Bar(name, minor) for name, _, minor, _ in buckets],
            title=f"Open {currency} by days past due",
            description="; ".join(f"{name} {words.percent(share)}" for name, _, _, share in buckets),
            label=lambda minor: words.money(minor, currency),
            width=width,
            kind=f"chart {kind}",
        )
        for kind, width in (("wide", 960.0), ("narrow", 340.0))
    )
    return wide, narrow, buckets


@dataclass(frozen=True, slots=True)
class CurrencyForecast:
    """The forecast of one currency: two drawings (wide and narrow), the days, and the weeks as a table."""

    currency: str
    wide: Markup
    narrow: Markup
    days_wide: Markup
    days_narrow: Markup
    weeks: Sequence[Row]
    total_minor: int
    mean_minor: int
    new_minor: int
    later_minor: int
    has_band: bool
    has_new: bool


def forecast_values(report: RunReport) -> dict[str, Any]:
    """What ``forecast.html`` reads."""
    found = [_forecast(report, currency) for currency in currencies(report.cash_weekly)]
    return {"books": found, "as_of": report.identity.as_of, "scored": report.scores.height, "days_shown": DAYS_SHOWN}


def _forecast(report: RunReport, currency: str) -> CurrencyForecast:
    words = Wording(report.locale)
    weeks = list(rows(report.cash_weekly.filter(pl.col("currency") == currency).sort("week_start"), limit=WEEKS_SHOWN))
    days: list[Row] = []
    if report.cash_daily.height:
        days = list(rows(report.cash_daily.filter(pl.col("currency") == currency).sort("date"), limit=DAYS_SHOWN))
    opened = (
        int(report.scores.filter(pl.col("currency") == currency)["open_minor"].sum()) if report.scores.height else 0
    )
    total = sum(int(week["open_mean_minor"]) for week in weeks)
    for week in weeks:
        week["last_day"] = week["week_start"] + timedelta(days=6)
    return CurrencyForecast(
        currency=currency,
        wide=_weeks_chart(weeks, currency, words, Box(width=960, height=260, left=62), "wide"),
        narrow=_weeks_chart(weeks, currency, words, Box(width=340, height=220, left=52), "narrow"),
        days_wide=_days_chart(days, currency, words, Box(width=960, height=170, left=62), "wide"),
        days_narrow=_days_chart(days, currency, words, Box(width=340, height=170, left=52), "narrow"),
        weeks=weeks,
        total_minor=total,
        mean_minor=sum(int(week["mean_minor"]) for week in weeks),
        new_minor=sum(int(week["new_mean_minor"] or 0) for week in weeks),
        later_minor=max(opened - total, 0),
        has_band=_has_band(weeks),
        has_new=_has_new(weeks),
    )


def _has_new(weeks: Sequence[Row]) -> bool:
    return any(week["new_mean_minor"] for week in weeks)


def _has_band(weeks: Sequence[Row]) -> bool:
    return bool(weeks) and all(week["p10_minor"] is not None and week["p90_minor"] is not None for week in weeks)


def _weeks_chart(weeks: Sequence[Row], currency: str, words: Wording, box: Box, kind: str) -> Markup:
    if not weeks:
        return Markup("")
    has_band = _has_band(weeks)
    fan = Fan(
        [words.short_day(week["week_start"]) for week in weeks],
        [float(week["mean_minor"]) for week in weeks],
        [float(week["p10_minor"]) for week in weeks] if has_band else (),
        [float(week["p90_minor"]) for week in weeks] if has_band else (),
        [float(week["open_mean_minor"]) for week in weeks] if _has_new(weeks) else (),
    )
    first = weeks[0]
    description = (
        f"{len(weeks)} weeks. The first week brings {words.money(first['mean_minor'], currency)} on average"
        + (f", eight times in ten between {words.money(first['p10_minor'], currency)} and "
           f"{words.money(first['p90_minor'], currency)}" if has_band else "")
        + ". The table below holds every figure."
    )  # fmt: skip
    return fan_chart(
        f"weeks-{currency}-{kind}",
        fan,
        title=f"Expected cash per week, {currency}",
        description=description,
        label=lambda minor: words.short(minor, currency),
        box=box,
        kind=f"chart {kind}",
    )


def _days_chart(days: Sequence[Row], currency: str, words: Wording, box: Box, kind: str) -> Markup:
    if not days:
        return Markup("")
    top = max(days, key=lambda day: int(day["mean_minor"]))
    return bar_chart(
        f"days-{currency}-{kind}",
        [Bar(words.short_day(day["date"]), float(day["mean_minor"]), _weekend(day["date"])) for day in days],
        title=f"Expected cash per day, {currency}",
        description=f"{len(days)} days; the strongest is {words.day_text(top['date'])} with "
        f"{words.money(top['mean_minor'], currency)} on average.",
        label=lambda minor: words.short(minor, currency),
        box=box,
        names_shown=int(box.width // 70),
        kind=f"chart {kind}",
    )


def _weekend(day: date) -> bool:
    return day.weekday() >= 5
