"""What came in: faults in the data, what was guessed at import, and how every figure of the page is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from duecourse.reports.run_data import RunReport
from duecourse.reports.wording import RUNGS, Wording

PROBLEMS_SHOWN = 50
NAMES_SHOWN = 30
EXAMPLES_SHOWN = 3
_SEVERITY = {"error": 0, "warning": 1, "note": 2}


def problem_values(report: RunReport) -> dict[str, Any]:
    """What ``problems.html`` reads: the audit's faults, then rows that could not be read."""
    audit: Mapping[str, Any] = report.audit or {}
    faults = sorted(
        audit.get("faults", []), key=lambda fault: (_SEVERITY.get(fault["severity"], 3), -fault["rows"], fault["code"])
    )
    notes = report.imported
    return {
        "audit": audit,
        "faults": faults,
        "examples_shown": EXAMPLES_SHOWN,
        "problems": list(notes.problems[:PROBLEMS_SHOWN]),
        "more": max(len(notes.problems) - PROBLEMS_SHOWN, 0),
        "skipped": notes.skipped_rows,
        "read": notes.rows_read,
    }


def guess_values(report: RunReport) -> dict[str, Any]:
    """What ``guesses.html`` reads; guesses that are not certain come first."""
    notes = report.imported
    proposals = [list(group) for group in notes.name_proposals]
    return {
        "notes": notes,
        "guesses": sorted(notes.guesses, key=lambda guess: guess.certain),
        "unsure": sum(1 for guess in notes.guesses if not guess.certain),
        "columns": list(notes.column_map.items()),
        "proposals": proposals[:NAMES_SHOWN],
        "proposals_more": max(len(proposals) - NAMES_SHOWN, 0),
    }


def method_values(report: RunReport) -> dict[str, Any]:
    """What ``method.html`` reads: how the predictions of this page were made, and with which rungs."""
    words = Wording(report.locale)
    rungs: list[tuple[str, int]] = []
    if report.scores.height:
        counts = report.scores.group_by("rung").len().sort(["len", "rung"], descending=[True, False])
        rungs = [(RUNGS.get(str(rung), str(rung)), int(number)) for rung, number in counts.iter_rows()]
    policies: list[str] = []
    if report.decisions.height and "policy" in report.decisions.columns:
        policies = sorted(str(one) for one in report.decisions.select(pl.col("policy").unique()).to_series())
    return {
        "identity": report.identity,
        "rungs": rungs,
        "rung_name": RUNGS.get(report.identity.rung, report.identity.rung),
        "policies": policies,
        "card": report.model_card,
        "as_of_text": words.day_text(report.identity.as_of),
    }
