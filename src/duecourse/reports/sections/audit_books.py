"""The receivables part of the audit page: figures, ageing, trend, drivers and customers of each currency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from duecourse.reports.charts import Bar, ageing_bar, share_bar, sparkline
from duecourse.reports.charts.lines import curve_chart
from duecourse.reports.sections.outlook import Tile
from duecourse.reports.sections.trends import month_names, trend_pictures
from duecourse.reports.wording import NONE, Wording, humane

CUSTOMERS_SHOWN = 50
TILES = (
    "receivable", "past_due_share", "dso_countback", "best_possible_dso", "average_days_delinquent", "cei",
    "days_to_pay_km_median", "at_risk_rate",
)  # fmt: skip
_ORDERS = {"present": "Present order", "oldest_first": "Oldest first", "largest_first": "Largest first"}


def figure_text(figure: Mapping[str, Any], currency: str, words: Wording) -> str:
    """The value of a metric in its unit; a dash where it could not be computed."""
    value, unit = figure["value"], figure["unit"]
    if value is None:
        return NONE
    match unit:
        case "days":
            return words.days(value)
        case "share":
            return words.percent(value, 1)
        case "minor":
            return words.exact(round(value), currency)
        case "count":
            return words.count(value)
        case "percent":
            return f"{words.number(value)} %"
        case "index":
            return words.number(value, 3)
        case _:
            return words.number(value, 2)


@dataclass(frozen=True, slots=True)
class Standing:
    """One currency: headline tiles, every figure with its text, the ageing bar and the late shares."""

    currency: str
    tiles: Sequence[Tile]
    figures: Sequence[tuple[Mapping[str, Any], str]]
    ageing_wide: Markup
    ageing_narrow: Markup
    ageing: Sequence[tuple[str, Mapping[str, Any]]]
    late: Sequence[tuple[Mapping[str, Any], Markup]]


def book_values(audit: Mapping[str, Any], words: Wording) -> dict[str, Any]:
    """What ``audit_standing.html`` reads."""
    return {"books": [_standing(book, words) for book in audit["books"]]}


def _standing(book: Mapping[str, Any], words: Wording) -> Standing:
    currency = book["currency"]
    known = {figure["key"]: figure for figure in book["figures"]}
    tiles = []
    for key in TILES:
        figure = known.get(key)
        if figure is None:
            continue
        minor = figure["unit"] == "minor" and figure["value"] is not None
        text = words.short(figure["value"], currency) if minor else figure_text(figure, currency, words)
        exact = words.exact(round(figure["value"]), currency) if minor else ""
        tiles.append(Tile(figure["label"], text, figure["missing"], exact=exact))
    wide, narrow = (
        ageing_bar(
            f"ageing-{currency}-{kind}",
            [Bar(_bucket(one["bucket"]), one["open_minor"]) for one in book["ageing"]],
            title=f"Open {currency} by days past due",
            description="; ".join(f"{_bucket(one['bucket'])} {words.percent(one['share'])}" for one in book["ageing"]),
            label=lambda minor: words.money(minor, currency),
            width=width,
            kind=f"chart {kind}",
        )
        for kind, width in (("wide", 960.0), ("narrow", 340.0))
    )
    late = [
        (
            one,
            share_bar(
                f"late-{currency}-{one['more_than_days']}",
                one["count_share"] or 0.0,
                title=f"Share {one['label']}",
                description=words.percent(one["count_share"], 1),
            ),
        )
        for one in book["late"]
    ]
    ageing = [(_bucket(one["bucket"]), one) for one in book["ageing"]]
    figures = [(figure, figure_text(figure, currency, words)) for figure in book["figures"]]
    return Standing(currency, tiles, figures, wide, narrow, ageing, late)


def _bucket(bucket: str) -> str:
    return "Current" if bucket == "current" else f"{bucket} days"


def trend_values(audit: Mapping[str, Any], words: Wording) -> dict[str, Any]:
    """What ``audit_trend.html`` reads: the pictures of each currency and the figures behind them."""
    return {
        "books": [
            (
                book["currency"],
                trend_pictures(book, words),
                list(zip(month_names(book["trend"], words), book["trend"], strict=True)),
            )
            for book in audit["books"]
        ]
    }


def driver_values(audit: Mapping[str, Any], words: Wording) -> dict[str, Any]:
    """What ``audit_drivers.html`` reads: how few invoices and customers carry the late cash, and contact orders."""
    books = []
    for book in audit["books"]:
        drivers, currency = book["drivers"], book["currency"]
        chart = curve_chart(
            f"pareto-{currency}",
            [(float(x), float(y)) for x, y in drivers["curve"]],
            title=f"Late cash by customer, {currency}",
            description=f"{words.count(drivers['customers_for_80'])} of {words.count(drivers['late_customers'])} "
            "customers carry 80 % of the late cash.",
            x_name="share of late customers, largest first",
        )
        orders = [(_ORDERS.get(one["order"], humane(one["order"])), one) for one in book["contact_orders"]]
        books.append((currency, drivers, chart, orders, book["concentration"]))
    return {"books": books}


def customer_values(audit: Mapping[str, Any], words: Wording) -> dict[str, Any]:
    """What ``audit_customers.html`` reads: the customers that cause most late cash, with a year of DSO each."""
    books = []
    for book in audit["books"]:
        currency = book["currency"]
        lines = []
        for order, row in enumerate(book["customers"][:CUSTOMERS_SHOWN]):
            known = [float(value) for value in row["dso_trend_days"] if value is not None]
            spark = sparkline(
                f"dso-{currency}-{order}",
                known,
                title=f"DSO of {row['name'] or row['customer_id']}, last 12 months",
                description=f"{words.number(known[0])} to {words.number(known[-1])} days" if known else "not known",
            )
            lines.append((row, spark))
        more = book["customers_left_out"] + max(len(book["customers"]) - CUSTOMERS_SHOWN, 0)
        books.append((currency, lines, more))
    return {"books": books}
