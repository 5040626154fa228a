"""What-if answers on the page: cash with and without the change, their difference with its band, worth, assumptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from duecourse.reports.charts import Paired, paired_chart
from duecourse.reports.charts.svg import Box
from duecourse.reports.run_data import RunReport
from duecourse.reports.sections.frames import Row, rows
from duecourse.reports.wording import Wording

SHORT_ENDS = {
    "single": "", "due": "days late kept", "issue": "pay-day kept", "take_up_low": "low take-up",
    "take_up_high": "high take-up", "uplift_low": "measured effect, P10", "uplift_high": "measured effect, P90",
}  # fmt: skip
WEEKS_SHOWN = 26


@dataclass(frozen=True, slots=True)
class EndPictures:
    """One end of the range: its name, what it means, the drawings (none where nothing differs), and the weeks."""

    name: str
    meaning: str
    cash: Sequence[Markup]
    difference: Sequence[Markup]
    weeks: Sequence[Row]
    moves: bool


@dataclass(frozen=True, slots=True)
class CurrencyAnswer:
    """The answer in one currency: the pictures of every end, and a row of worth for each."""

    currency: str
    ends: Sequence[EndPictures]
    effects: Sequence[tuple[str, Mapping[str, Any]]]
    discounts: Sequence[Mapping[str, Any]]
    differs: bool

    @property
    def has_discounts(self) -> bool:
        """Whether any discount is given within the window."""
        return any(effect["discounts_minor"] for _, effect in self.effects)


@dataclass(frozen=True, slots=True)
class Answer:
    """One scenario with its words and its answer in every currency; ``unmoved`` are those in which nothing differs."""

    title: str
    question: str
    steps: Sequence[str]
    books: Sequence[CurrencyAnswer]
    unmoved: Sequence[str]
    assumptions: Sequence[str]
    notes: Sequence[str]
    days: int


def scenario_values(report: RunReport) -> dict[str, Any]:
    """What ``scenarios.html`` reads."""
    weekly = report.scenario_weekly
    return {"answers": [_answer(order, one, weekly, report) for order, one in enumerate(report.scenarios)]}


def _answer(order: int, summary: Mapping[str, Any], weekly: pl.DataFrame, report: RunReport) -> Answer:
    mine = weekly.filter(pl.col("scenario") == summary["scenario"])
    currencies = list(dict.fromkeys(effect["currency"] for effect in summary["effects"]))
    books = [_book(order, currency, summary, mine, Wording(report.locale)) for currency in currencies]
    return Answer(
        title=summary["scenario"],
        question=summary["question"],
        steps=summary["steps"],
        books=[book for book in books if book.differs],
        unmoved=[book.currency for book in books if not book.differs],
        assumptions=summary["assumptions"],
        notes=summary["notes"],
        days=summary["days"],
    )


def _book(
    order: int, currency: str, summary: Mapping[str, Any], weekly: pl.DataFrame, words: Wording
) -> CurrencyAnswer:  # fmt: skip
    effects = [effect for effect in summary["effects"] if effect["currency"] == currency]
    ends = []
    for effect in effects:
        end = effect["end"]
        weeks = list(
            rows(weekly.filter((pl.col("currency") == currency) & (pl.col("end") == end)), limit=WEEKS_SHOWN)
        )  # fmt: skip
        key = f"scenario-{order}-{currency}-{end}"
        moves = _differs(effect)
        ends.append(
            EndPictures(
                name=end_name(end),
                meaning=summary["ends"].get(end, ""),
                cash=_both(key, weeks, "scenario", currency, words) if moves else (),
                difference=_both(key, weeks, "difference", currency, words) if moves else (),
                weeks=weeks,
                moves=moves,
            )
        )
    return CurrencyAnswer(
        currency=currency,
        ends=ends,
        effects=[(end_name(effect["end"]) or "What if", effect) for effect in effects],
        discounts=[one for one in summary["discounts"] if one["currency"] == currency],
        differs=any(end.moves for end in ends),
    )


def end_name(end: str) -> str:
    """The name of an end of the range in a few words; empty where there is only one."""
    return ", ".join(SHORT_ENDS.get(part, part) for part in end.split("+") if SHORT_ENDS.get(part, part))


def _differs(effect: Mapping[str, Any]) -> bool:
    return any(effect["difference"].values()) or bool(effect["in_the_end_mean_minor"])


def _both(key: str, weeks: Sequence[Row], side: str, currency: str, words: Wording) -> tuple[Markup, Markup]:
    """The drawing for wide pages and the one for phones."""
    return (
        _chart(f"{key}-{side}-wide", weeks, side, (currency, words), Box(width=470, height=230, left=62, right=74)),
        _chart(f"{key}-{side}-narrow", weeks, side, (currency, words), Box(width=340, height=210, left=52, right=66)),
    )


def _chart(key: str, weeks: Sequence[Row], side: str, how: tuple[str, Wording], box: Box) -> Markup:
    currency, words = how
    is_difference = side == "difference"
    paired = Paired(
        labels=[words.short_day(week["week_start"]) for week in weeks],
        name="difference" if is_difference else "what if",
        middle=[float(week[f"{side}_mean_minor"]) for week in weeks],
        low=[float(week[f"{side}_p10_minor"]) for week in weeks],
        high=[float(week[f"{side}_p90_minor"]) for week in weeks],
        other_name="" if is_difference else "base",
        other=() if is_difference else [float(week["base_mean_minor"]) for week in weeks],
    )
    total = sum(int(week["difference_mean_minor"]) for week in weeks)
    return paired_chart(
        key,
        paired,
        title=f"{'Difference' if is_difference else 'Cash with and without the change'} per week, {currency}",
        description=f"{len(weeks)} weeks; together {words.money(total, currency)} against the base on average. "
        "The table below holds every figure.",
        label=lambda minor: words.short(minor, currency),
        box=box,
        kind="chart wide" if key.endswith("wide") else "chart narrow",
    )
