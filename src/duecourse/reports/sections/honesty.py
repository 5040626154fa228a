"""How wrong such predictions were on the user's own past: every method, the gate's word, and calibration in pictures.

Reads ``BacktestReport.to_dict()``; the backtest page and the run page print the same figures from here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from duecourse.reports.charts import Bin, coverage_chart, pit_histogram, reliability
from duecourse.reports.sections.outlook import Tile
from duecourse.reports.wording import BASELINES, NONE, RUNGS, SEGMENTS, Wording, humane

SETS = {"open": "Invoices that were open at the snapshot", "new": "Invoices issued in the days after the snapshot"}
MODEL = "model"
_OURS = (MODEL, "customer_history", "book")  # the methods that are rungs too
_GROUPINGS = {"paid_before": "invoices that the customer had paid before"}
_BAND = 0.8


@dataclass(frozen=True, slots=True)
class Measure:
    """One column of a table of methods: where the figure lies, its heading, how it is written, which way is better."""

    path: tuple[str, ...]
    heading: str
    meaning: str
    decimals: int = 2
    percent: bool = False
    better: str = "low"


CRPS = Measure(("crps",), "CRPS", "error of the whole distribution, in days; for a single date it is the MAE")
MAE = Measure(("mae",), "MAE", "mean absolute error of the middle date, in days")
WITHIN_5 = Measure(("within_5",), "Within 5", "share of middle dates within 5 days", 1, percent=True, better="high")
AUC_LATE = Measure(
    ("ranking", "late", "auc"), "AUC late", "ranking of who will be late; 0.5 is chance", 3, better="high"
)
AUC_60 = Measure(("ranking", "late_60", "auc"), "AUC 60+", "ranking of who will be 60 days late", 3, better="high")
RECALL_60 = Measure(
    ("ranking", "late_60", "recall_at_5_percent"),
    "60+ found",
    "share of the 60+ cases among the 5 % highest alerts",
    1,
    percent=True,
    better="high",
)
COVERAGE = Measure(("coverage",), "In band", "share of outcomes inside P10-P90; 80 % or a little more is right", 1,
                   percent=True, better="")  # fmt: skip
CASH = tuple(
    Measure(
        ("cash_error", str(days)), f"Cash {days} d", f"error of the cash expected within {days} days", 1, percent=True
    )
    for days in (7, 14, 30)
)
SHORT = (CRPS, MAE, WITHIN_5, AUC_LATE, RECALL_60, COVERAGE, *CASH[:2])
DATES = (
    CRPS,
    MAE,
    Measure(("median_absolute_error",), "MedAE", "median absolute error, in days", 1),
    Measure(("bias",), "Bias", "mean of predicted minus real, in days; 0 is right", better=""),
    WITHIN_5,
    Measure(("within_2",), "Within 2", "share of middle dates within 2 days", 1, percent=True, better="high"),
    COVERAGE,
    Measure(("width",), "Width", "mean width of P10-P90 in days; narrow is better at equal coverage", 1, better=""),
    Measure(("uniformity", "below_10"), "PIT < .1", "share of outcomes in the earliest tenth; 10 % is right", 1,
            percent=True, better=""),
    Measure(("uniformity", "above_90"), "PIT > .9", "share of outcomes in the latest tenth; 10 % is right", 1,
            percent=True, better=""),
)  # fmt: skip
RISKS_AND_CASH = (AUC_LATE, AUC_60, RECALL_60, *CASH)
FULL = (*DATES, *RISKS_AND_CASH)


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of a table: its text and whether it is the best of its column."""

    text: str
    best: bool = False


@dataclass(frozen=True, slots=True)
class MethodTable:
    """All methods on the same cases: headings with their meaning, and one row of cells per method."""

    caption: str
    measures: Sequence[Measure]
    rows: Sequence[tuple[str, Sequence[Cell]]]


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart with its caption, one sentence on how to read it, and its figures as a table (headings, rows)."""

    caption: str
    note: str
    svg: Markup
    headings: Sequence[str]
    figures: Sequence[Sequence[str]]


def label_of(backtest: Mapping[str, Any], code: str) -> str:
    """The name of a method: ours where we have one, else the report's own."""
    return BASELINES.get(code) or str(backtest.get("labels", {}).get(code, humane(code)))


def figure_at(measures: Mapping[str, Any] | None, path: Sequence[str]) -> float | None:
    """The number at ``path`` in nested measures, None where a method could not give it."""
    value: Any = measures
    for key in path:
        if not isinstance(value, Mapping) or value.get(key) is None:
            return None
        value = value[key]
    return float(value)


def method_table(
    backtest: Mapping[str, Any],
    methods: Mapping[str, Mapping[str, Any]],
    measures: Sequence[Measure],
    words: Wording,
    caption: str,
) -> MethodTable:
    """The table of ``methods`` (code -> measures), the model first; columns that nobody could fill are left out."""
    used = [one for one in measures if any(figure_at(values, one.path) is not None for values in methods.values())]
    best = {one.path: _best([figure_at(values, one.path) for values in methods.values()], one) for one in used}
    order = sorted(methods, key=lambda code: (code != MODEL, list(methods).index(code)))
    table = []
    for code in order:
        cells = []
        for one in used:
            value = figure_at(methods[code], one.path)
            cells.append(Cell(_text(value, one, words), value is not None and value == best[one.path]))
        table.append((label_of(backtest, code), cells))
    return MethodTable(caption, used, table)


def method_tables(
    backtest: Mapping[str, Any], methods: Mapping[str, Mapping[str, Any]], words: Wording, cases: str
) -> list[MethodTable]:
    """Every measure in two tables that fit on paper: dates and distribution; ranking and cash. None is empty."""
    halves = (("Dates and distribution", DATES), ("Ranking and cash", RISKS_AND_CASH))
    tables = [method_table(backtest, methods, half, words, f"{name}: {cases}") for name, half in halves]
    return [table for table in tables if table.measures]


def _best(values: Sequence[float | None], measure: Measure) -> float | None:
    known = [value for value in values if value is not None]
    if not measure.better or len(known) < 2:
        return None
    return min(known) if measure.better == "low" else max(known)


def _text(value: float | None, measure: Measure, words: Wording) -> str:
    if value is None:
        return NONE
    return words.percent(value, measure.decimals) if measure.percent else words.number(value, measure.decimals)


def worth_tile(backtest: Mapping[str, Any] | None, missing: str, words: Wording) -> Tile:
    """What the model is worth on this book, by CRPS on open invoices against the best rule that others use.

    Our own rung below the model stands in the tables, not here: it is no rule that anybody would use without us.
    """
    label = "Prediction against the best simple rule"
    if not backtest:
        return Tile(label, "not yet known", missing or "too little history for an honest test", key=True)
    means = backtest.get("means", {}).get("open") or backtest.get("means", {}).get("new") or {}
    model = figure_at(means.get(MODEL), CRPS.path)
    rivals = {
        code: crps
        for code, values in means.items()
        if code not in _OURS and (crps := figure_at(values, CRPS.path)) is not None
    }
    if model is None or not rivals:
        return Tile(label, "not yet known", "no mature snapshot holds a model", key=True)
    rival = min(sorted(rivals), key=lambda code: rivals[code])
    gain = 1 - model / rivals[rival] if rivals[rival] else 0.0
    against = f"{words.number(model, 2)} against {words.number(rivals[rival], 2)} days ({label_of(backtest, rival)})"
    if not backtest.get("gate", {}).get("allowed"):
        if gain <= 0:
            return Tile(label, "not better", f"CRPS {against}; the simple rule is used", key=True)
        return Tile(label, "not proven", f"CRPS {against}, but not every condition of the gate holds; the simple rule "
                    "is used", key=True)  # fmt: skip
    return Tile(label, f"{words.percent(abs(gain))} {'closer' if gain >= 0 else 'worse'}", f"CRPS {against}", key=True)


def honesty_values(backtest: Mapping[str, Any] | None, missing: str, words: Wording) -> dict[str, Any]:
    """What ``honesty.html`` reads on the run page."""
    if not backtest:
        return {"missing": missing or "The book holds too little settled history for a test on its own past.",
                "sets": [], "gate": None, "rung_name": "", "entities": [], "dates": []}  # fmt: skip
    gate = backtest.get("gate", {})
    return {
        "missing": "",
        "gate": gate,
        "rung_name": RUNGS.get(str(gate.get("rung")), str(gate.get("rung"))),
        "sets": [_set(backtest, name, words, SHORT) for name in SETS if backtest.get("means", {}).get(name)],
        "entities": entity_rows(gate),
        "dates": [snapshot["snapshot"] for snapshot in backtest.get("snapshots", [])],
    }


def entity_rows(gate: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Per legal entity that is judged alone and set: entity, set, what serves it, the gate's words."""
    found = [
        (entity, SETS[name], verdicts[name])
        for entity, verdicts in sorted((gate.get("entities") or {}).items())
        for name in SETS
        if name in verdicts
    ]
    return [(entity, kind, RUNGS.get(str(one["rung"]), str(one["rung"])), one["says"]) for entity, kind, one in found]


def _set(backtest: Mapping[str, Any], name: str, words: Wording, measures: Sequence[Measure]) -> dict[str, Any]:
    means = backtest["means"][name]
    cases = max((int(values.get("n") or 0) for values in means.values()), default=0)
    shown = shown_method(backtest, name)
    return {
        "name": name,
        "heading": SETS[name],
        "cases": cases,
        "verdict": backtest.get("gate", {}).get("verdicts", {}).get(name),
        "table": method_table(backtest, means, measures, words, f"Mean over the snapshots, {words.count(cases)} cases"),
        "method": label_of(backtest, shown) if shown else "",
        "pictures": calibration_pictures(backtest, name, shown, words) if shown else [],
        "segments": segment_rows(backtest, name, words),
    }


def segment_rows(backtest: Mapping[str, Any], kind: str, words: Wording) -> list[tuple[str, ...]]:
    """Per behaviour segment: name, cases, CRPS of the model and of the best simple method, gain, verdict; as texts."""
    return [
        (
            SEGMENTS[one["segment"]][0],
            words.count(one["cases"]),
            words.number(one["crps_model"], 2),
            words.number(one["crps_rival"], 2),
            "{} ({} to {})".format(*(words.number(one[name], 2) for name in ("gain", "gain_low", "gain_high"))),
            str(one["says"]),
        )
        for one in (backtest.get("segments") or {}).get(kind, [])
    ]


def shown_method(backtest: Mapping[str, Any], name: str) -> str:
    """The method whose predictions the user sees: the one of the gate's rung, else any that has a calibration."""
    known = backtest.get("calibration", {}).get(name, {})
    gate = backtest.get("gate", {})
    wanted = str(gate.get("verdicts", {}).get(name, {}).get("rung", gate.get("rung")))
    return wanted if wanted in known else next(iter(sorted(known, key=lambda code: code != MODEL)), "")


def calibration_pictures(backtest: Mapping[str, Any], name: str, code: str, words: Wording) -> list[Picture]:
    """PIT histogram, both reliability diagrams and coverage of one method on one set; empty charts are left out."""
    found = backtest.get("calibration", {}).get(name, {}).get(code)
    if not found:
        return []
    key = f"{name}-{code}"
    pictures = [
        _pit_picture(found, key, words),
        _reliability_picture(found, "late", "Will it be late?", key, words),
        _reliability_picture(found, "late_60", "Will it be 60 days late?", key, words),
        _horizon_picture(found, key, words),
        *(_group_picture(found, kind, key, words) for kind in sorted(found.get("coverage", {}))),
    ]
    return [picture for picture in pictures if picture is not None and picture.svg]


def _pit_picture(found: Mapping[str, Any], key: str, words: Wording) -> Picture:
    shares = [float(share) for share in found.get("pit_histogram", [])]
    count = int(found.get("n") or 0)
    low = words.percent(shares[0], 1) if shares else NONE
    high = words.percent(shares[-1], 1) if shares else NONE
    chart = pit_histogram(
        f"pit-{key}",
        shares,
        count,
        title="Where payments fell inside their predicted distribution",
        description=f"{words.count(count)} cases; earliest tenth {low}, latest tenth {high}; 10 % each is right.",
    )
    note = "Flat is right. High at both ends: too sure of itself. High at the right: payments came later than said."
    figures = [
        [f"{index / len(shares):.1f} to {(index + 1) / len(shares):.1f}", words.percent(share, 1)]
        for index, share in enumerate(shares)
    ]
    return Picture("Where payments fell", note, chart, ("Tenth of the distribution", "Share"), figures)


def _reliability_picture(
    found: Mapping[str, Any], label: str, caption: str, key: str, words: Wording
) -> Picture | None:
    bins = [one for one in found.get("reliability", {}).get(label, []) if one["n"]]
    if not bins:
        return None
    worst = max(abs(float(one["predicted"]) - float(one["observed"])) for one in bins)
    chart = reliability(
        f"reliability-{label}-{key}",
        [Bin(float(one["predicted"]), float(one["observed"]), int(one["n"])) for one in bins],
        title=caption,
        description=f"{len(bins)} groups of predictions; the largest gap between said and seen is "
        f"{words.number(worst * 100, 0)} points.",
    )
    figures = [
        [words.percent(one["predicted"], 1), words.percent(one["observed"], 1), words.count(one["n"])] for one in bins
    ]
    note = "On the dashed line, what was said with p % came true in p % of the cases. Bars: 90 % noise of the count."
    return Picture(caption, note, chart, ("Said", "Came true", "Cases"), figures)


def _horizon_picture(found: Mapping[str, Any], key: str, words: Wording) -> Picture | None:
    horizons = [one for one in found.get("by_horizon", []) if one["n"]]
    if not horizons:
        return None
    chart = coverage_chart(
        f"horizon-{key}",
        [(f"{one['days']} days", one["inside"] / one["n"], one["n"]) for one in horizons],
        target=_BAND,
        title="Coverage of the P10-P90 band by horizon",
        description="; ".join(f"{one['days']} days {words.percent(one['inside'] / one['n'])}" for one in horizons),
    )
    figures = [
        [
            f"{one['days']} days",
            words.percent(one["inside"] / one["n"], 1),
            words.count(one["expected_paid"]),
            words.count(one["paid"]),
            words.count(one["n"]),
        ]
        for one in horizons
    ]
    headings = ("Horizon", "Inside", "Expected paid", "Paid", "Cases")
    return Picture("Inside the band, by horizon", "Eight in ten is promised.", chart, headings, figures)


def _by_number(one: Mapping[str, Any]) -> int:
    """Groups that are numbers ("1-2", "10 or more") stand in their order; others keep the one that they came in."""
    found = re.match(r"\d+", str(one["group"]))
    return int(found.group()) if found else 0


def _group_picture(found: Mapping[str, Any], kind: str, key: str, words: Wording) -> Picture | None:
    groups = sorted((one for one in found.get("coverage", {}).get(kind, []) if one["n"]), key=_by_number)
    by = _GROUPINGS.get(kind, humane(kind).lower())
    if len(groups) < 2:
        return None
    chart = coverage_chart(
        f"coverage-{kind}-{key}",
        [(humane(str(one["group"])), one["inside"] / one["n"], one["n"]) for one in groups],
        target=_BAND,
        title=f"Coverage of the P10-P90 band by {by}",
        description="; ".join(f"{one['group']} {words.percent(one['inside'] / one['n'])}" for one in groups),
    )
    figures = [
        [humane(str(one["group"])), words.percent(one["inside"] / one["n"], 1), words.count(one["n"])] for one in groups
    ]
    return Picture(
        f"Inside the band, by {by}", "Eight in ten is promised.", chart, ("Group", "Inside", "Cases"), figures
    )
