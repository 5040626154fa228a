"""The page of a backtest: every method on every snapshot of one's own past, the gate's word, calibration, sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from duecourse.reports.page import Page, Section, print_page
from duecourse.reports.sections.honesty import (
    FULL,
    SETS,
    calibration_pictures,
    entity_rows,
    label_of,
    method_tables,
    segment_rows,
    shown_method,
)
from duecourse.reports.wording import RUNGS, Wording

__all__ = ["render"]


def render(
    report: Mapping[str, Any], *, title: str = "Backtest", program_version: str = "", locale: str = "en_US"
) -> str:
    """The page of ``BacktestReport.to_dict()`` as one self-contained HTML text; same report, same bytes."""
    words = Wording(locale)
    snapshots = report.get("snapshots", [])
    sections = [
        Section("verdict", "Verdict", "backtest_verdict.html", _verdict(report, words)),
        Section("methods", "All methods, mean over the snapshots", "backtest_methods.html", _means(report, words)),
        Section("calibration", "Calibration", "backtest_calibration.html", _calibration(report, words), new_page=True),
        Section(
            "snapshots", "Snapshot by snapshot", "backtest_snapshots.html", _snapshots(report, words), new_page=True
        ),
        Section("definitions", "Definitions", "backtest_definitions.html", {"measures": FULL}),
    ]
    page = Page(
        title=title,
        eyebrow="Honest history",
        facts=[
            Markup("known until {}").format(words.day(report.get("known_until"))),
            words.plural(len(snapshots), "snapshot"),
            f"seed {report.get('seed')}",
        ],
        sections=sections,
        footer=[
            (
                "Made by",
                f"duecourse {program_version}".strip() + "; same ledger, snapshots and seed, same page",
            ),
            ("Known until", str(report.get("known_until"))),
            ("Seed", str(report.get("seed"))),
        ],
        locale=locale,
    )
    return print_page(page)


def _verdict(report: Mapping[str, Any], words: Wording) -> dict[str, Any]:
    gate = report.get("gate") or {}
    verdicts = [
        (SETS.get(name, name), one, segment_rows(report, name, words))
        for name, one in sorted((gate.get("verdicts") or {}).items())
    ]
    return {
        "gate": gate,
        "verdicts": verdicts,
        "entities": entity_rows(gate),
        "rung_name": RUNGS.get(str(gate.get("rung")), str(gate.get("rung"))),
    }


def _means(report: Mapping[str, Any], words: Wording) -> dict[str, Any]:
    tables = []
    for name, heading in SETS.items():
        means = report.get("means", {}).get(name)
        if means:
            cases = max(int(values.get("n") or 0) for values in means.values())
            caption = f"plain mean over the snapshots, {words.count(cases)} cases in all"
            tables.append((heading, method_tables(report, means, words, caption)))
    return {"tables": tables, "new_days": report.get("new_days")}


def _calibration(report: Mapping[str, Any], words: Wording) -> dict[str, Any]:
    sets = []
    for name, heading in SETS.items():
        known = report.get("calibration", {}).get(name, {})
        first = shown_method(report, name)
        order = sorted(known, key=lambda code: (code != first, code))
        methods = [(label_of(report, code), calibration_pictures(report, name, code, words)) for code in order]
        if methods:
            sets.append((heading, [one for one in methods if one[1]]))
    return {"sets": sets}


def _snapshots(report: Mapping[str, Any], words: Wording) -> dict[str, Any]:
    found = []
    for snapshot in report.get("snapshots", []):
        sets = []
        for name, heading in SETS.items():
            one = snapshot.get("sets", {}).get(name)
            if one is None:
                continue
            size = f"{words.count(one['cases'])} cases of {words.plural(int(one['customers']), 'customer')}"
            horizon = f"horizon {one['horizon']} days"
            if one["horizon"] < one["wanted_horizon"]:
                horizon += f" (of {one['wanted_horizon']}: what came later was not known yet)"
            tables = method_tables(report, one["methods"], words, f"{size}, {horizon}") if one["methods"] else []
            sets.append((heading, one, tables))
        found.append((snapshot, sets))
    return {"snapshots": found}
