"""``LEDGER/truth``: what really is, written beside a simulated ledger and read by nobody who learns from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from duecourse.core.ids import sha256_hex
from duecourse.science.simulate.books import days
from duecourse.science.simulate.claims import OUTCOMES
from duecourse.science.simulate.company import Truth
from duecourse.science.simulate.pay_calendar import DAILY, FIRST_FORTNIGHTLY, FIRST_WEEKLY, MONTH_END, to_date

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


def write_truth(truth: Truth, directory: Path) -> None:
    """Write ``world.json`` (all parameters, size, seed, hash), ``customers``, ``invoices`` and ``promises``.

    ``directory`` is created. Days beyond the end of the book are included: they are what forecasts are judged by.
    """
    directory.mkdir(parents=True)
    company = truth.company
    described: dict[str, Any] = {
        "world": company.world.as_json(),
        "seed": company.seed,
        "customers": len(company.customers.ids),
        "from": to_date(company.book[0]).isoformat(),
        "until": to_date(company.book[1]).isoformat(),
    }
    text = json.dumps(described, indent=1, sort_keys=True, ensure_ascii=False)
    described["sha256"] = sha256_hex(text.encode())
    (directory / "world.json").write_text(json.dumps(described, indent=1, ensure_ascii=False) + "\n", "utf-8")
    for name, frame in truth_tables(truth).items():
        frame.write_parquet(directory / f"{name}.parquet", compression="zstd", statistics=True)


def truth_tables(truth: Truth) -> dict[str, pl.DataFrame]:
    """The latent facts as frames: customers, invoices (all, whether paid yet or not) and promises per invoice."""
    company = truth.company
    customers, orders, fates, claims = company.customers, company.orders, company.fates, company.claims
    names = list(company.world.types)
    ids, promised = orders.ids, fates.promised
    return {
        "customers": pl.DataFrame({
            "customer_id": customers.ids,
            "type": [names[kind] for kind in customers.kind.tolist()],
            "intercept": customers.intercept,
            "pay_run": [pay_run_name(schedule) for schedule in customers.schedule.tolist()],
            "invoices_per_week": customers.weekly_rate,
        }),
        "invoices": pl.DataFrame({
            "invoice_id": ids,
            "decided_on": days(fates.decided),
            "paid_on": days(fates.cleared),
            "first_part_on": days(fates.posted),
            "first_part_share": fates.part,
            "written_off_on": days(fates.written_off),
            "dispute_opened_on": days(fates.dispute_opened),
            "dispute_resolved_on": days(fates.dispute_resolved),
            "dispute_outcome": [OUTCOMES[at] if at >= 0 else None for at in claims.dispute_outcome.tolist()],
        }, schema_overrides={"dispute_outcome": pl.String}),
        "promises": pl.DataFrame({
            "invoice_id": [ids[row] for row in promised.invoice.tolist()],
            "promised_on": days(promised.called_on),
            "due_on": days(promised.due_on),
            "kept": promised.kept == 1,
        }, schema_overrides={"invoice_id": pl.String}),
    }  # fmt: skip


def pay_run_name(schedule: int) -> str:
    """A schedule in words, such as ``weekly Thursday`` or ``fortnightly Monday (even weeks)``."""
    if schedule == DAILY:
        return "daily"
    if schedule == MONTH_END:
        return "month end"
    if schedule < FIRST_FORTNIGHTLY:
        return f"weekly {WEEKDAYS[schedule - FIRST_WEEKLY]}"
    weekday, parity = divmod(schedule - FIRST_FORTNIGHTLY, 2)
    return f"fortnightly {WEEKDAYS[weekday]} ({('even', 'odd')[parity]} weeks)"
