"""Instalment plans agreed in calls: told beside the dynamics, whose payers pay as they would have paid anyway."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl

from duecourse.science.simulate.telling.conversations import Talk, business_day

PLAN_CALL_SHARE, CASH_SHARE, OTHER_SHARE, SMALLEST_MINOR, APART_DAYS = 0.4, 0.3, 0.04, 150_000, 150


def told_plans(activities: pl.DataFrame, talk: Talk, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """``plans``: three to six instalments on the overdue invoices of a reached call without promise or dispute."""
    rows: list[dict[str, Any]] = []
    last: dict[str, date] = {}
    calls = activities.filter((pl.col("channel") == "call") & (pl.col("outcome") == "reached"))
    for row in calls.sort("occurred_at", "activity_id").iter_rows(named=True):
        day, owner = row["occurred_at"].date(), row["customer_id"]
        fortune = talk.luck.own(f"plan {row['activity_id']}")
        share = PLAN_CALL_SHARE if row["template"] == "house_call_plan" else OTHER_SHARE
        if talk.facts.sort_of.get(owner) in ("cash", "insolvent"):
            share = max(share, CASH_SHARE)
        ids = [each for each in row["invoice_ids"] or [] if talk.directory.bills[each].due_on < day]
        ids = [each for each in ids if talk.directory.bills[each].customer_id == owner]
        total = talk.directory.amount(ids)
        soon = day - last.get(owner, date.min) < timedelta(days=APART_DAYS)
        bound = talk.facts.promised(day, ids) or talk.facts.disputed(day, ids)
        if soon or bound or total < SMALLEST_MINOR or not fortune.chance("agreed", share):
            continue
        last[owner] = day
        customer = talk.directory.customers[owner]
        rows.append({
            "plan_id": f"PLAN-{row['activity_id'].removeprefix('ACT-')}", "customer_id": owner, "agreed_on": day,
            "currency": customer.currency, "instalments": _instalments(total, day, 3 + fortune.below("parts", 4)),
            "invoice_ids": ids, "approved_by": customer.collector,
            "recorded_at": row["occurred_at"] + timedelta(minutes=40),
        })  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def _instalments(total_minor: int, day: date, parts: int) -> list[str]:
    """Equal monthly amounts from two weeks on, whole major units but the last."""
    each = total_minor // parts // 100 * 100
    amounts = [each] * (parts - 1) + [total_minor - each * (parts - 1)]
    days = [business_day(day + timedelta(days=14 + 30 * number)) for number in range(parts)]
    return [f"{due.isoformat()}:{amount}" for due, amount in zip(days, amounts, strict=True)]
