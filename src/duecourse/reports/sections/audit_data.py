"""The data part of the audit page: history and fall-back ladder, faults, completeness, recording delays, pay-days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from duecourse.reports.charts import Bar, bar_chart, share_bar
from duecourse.reports.charts.svg import Box
from duecourse.reports.wording import Wording, humane

EXAMPLES_SHOWN = 5
_SEVERITY = {"error": 0, "warning": 1, "note": 2}


def history_values(audit: Mapping[str, Any]) -> dict[str, Any]:
    """What ``audit_history.html`` reads: the ladder from terms to season, what is reached and what a gap costs."""
    history = audit["history"]
    return {"history": history, "ladder": [(humane(rung["name"]), rung) for rung in history["ladder"]]}


def fault_values(audit: Mapping[str, Any]) -> dict[str, Any]:
    """What ``audit_faults.html`` reads: kinds of faults, worst first, and rows that were refused before."""
    faults = sorted(audit["faults"], key=lambda one: (_SEVERITY.get(one["severity"], 3), -one["rows"], one["code"]))
    return {
        "faults": faults,
        "checked": audit["fault_kinds_checked"],
        "refused": audit["refused"],
        "rows_refused": audit["rows_refused"],
        "rows_read": audit["rows_read"],
    }


def completeness_values(audit: Mapping[str, Any], words: Wording) -> dict[str, Any]:
    """What ``audit_completeness.html`` reads: tables with rows and how full each column is; tables that are absent."""
    present, absent = [], []
    for table in audit["tables"]:
        if not table["rows"]:
            absent.append(table)
            continue
        columns = [
            (
                column,
                share_bar(
                    f"fill-{table['table']}-{column['column']}",
                    column["share"] or 0.0,
                    title=f"{table['table']}.{column['column']}",
                    description=f"{words.percent(column['share'])} filled",
                ),
            )
            for column in table["columns"]
        ]
        present.append((table, columns))
    return {"present": present, "absent": absent}


def clock_values(audit: Mapping[str, Any], words: Wording) -> dict[str, Any]:
    """What ``audit_clocks.html`` reads: how late the books learn of things, and on which weekdays money is booked."""
    days = audit["weekdays"]
    total = sum(day["cleared"] for day in days)
    chart = bar_chart(
        "weekdays",
        [Bar(day["name"][:3], float(day["cleared"])) for day in days] if total else [],
        title="Invoices settled by weekday",
        description="; ".join(f"{day['name']} {words.percent(day['share'])}" for day in days),
        label=words.count,
        box=Box(width=420, height=200, left=58),
    )
    return {"recording": audit["recording"], "days": days, "chart": chart, "total": total}
