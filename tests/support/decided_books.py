"""A small company whose contacts were drawn at random with logged propensities, and whose truth is known."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from duecourse.ledger.as_of import Ledger
from duecourse.ledger.schema import ARMS

FIRST_MONDAY = date(2025, 1, 6)
DRAWN = {"none": 0.5, "email_soft": 0.3, "call_service": 0.2}
MASKED = {name: "not available" for name in ARMS if name not in DRAWN}


@dataclass(frozen=True)
class Chances:
    """Weekly chance of payment after each act."""

    none: float = 0.10
    email_soft: float = 0.14
    call_service: float = 0.30

    def of(self, arm: str) -> float:
        return float(getattr(self, arm))


def decided_ledger(
    *, payers: int = 60, weeks: int = 40, seed: int = 1, chances: Chances | None = None,
    drawn: dict[str, float] | None = None,
) -> Ledger:  # fmt: skip
    """Each payer has one invoice open at a time; every Monday one act is drawn and the week decides about payment.

    A new invoice, overdue by a week, follows a paid one. Decisions carry exact propensities and were executed.
    """
    rng = np.random.default_rng(seed)
    truth = chances or Chances()
    spread = drawn or DRAWN
    arms = list(spread)
    masked = {name: "not available" for name in ARMS if name not in spread}
    rows: dict[str, list[dict[str, object]]] = {
        name: [] for name in ("invoices", "payments", "allocations", "decisions", "activities")
    }
    for payer in range(payers):
        customer, number, is_open = f"C{payer:03}", 0, False
        for week in range(weeks):
            monday = FIRST_MONDAY + timedelta(weeks=week)
            if not is_open:
                number, is_open = number + 1, True
                invoice = f"{customer}-{number:03}"
                amount = int(rng.integers(50_000, 200_000))
                rows["invoices"].append({
                    "invoice_id": invoice, "customer_id": customer, "issued_on": monday - timedelta(days=37),
                    "due_on": monday - timedelta(days=7), "amount_minor": amount, "currency": "EUR",
                })  # fmt: skip
            arm = arms[int(rng.choice(len(arms), p=list(spread.values())))]
            moment = datetime.combine(monday, datetime.min.time(), tzinfo=UTC)
            rows["decisions"].append({
                "decision_id": f"D-{customer}-{week:03}", "decided_at": moment, "customer_id": customer,
                "invoice_ids": [invoice], "arm": arm, "propensity": spread[arm],
                "propensities": json.dumps(spread), "masked": json.dumps(masked), "policy": "random",
                "cluster_id": customer, "stratum": "policy", "executed_arm": arm, "executed_at": moment,
                "recorded_at": moment,
            })  # fmt: skip
            if arm != "none":
                rows["activities"].append({
                    "activity_id": f"A-{customer}-{week:03}", "customer_id": customer, "direction": "out",
                    "channel": "call" if arm.startswith("call") else "email", "occurred_at": moment,
                })  # fmt: skip
            if rng.random() < truth.of(arm):
                paid_on = monday + timedelta(days=int(rng.integers(1, 5)))
                is_open = False
                rows["payments"].append({
                    "payment_id": f"P-{invoice}", "received_on": paid_on, "amount_minor": amount, "currency": "EUR",
                    "customer_id": customer,
                })  # fmt: skip
                rows["allocations"].append({
                    "allocation_id": f"L-{invoice}", "invoice_id": invoice, "source_kind": "payment",
                    "source_id": f"P-{invoice}", "applied_on": paid_on, "amount_minor": amount,
                })  # fmt: skip
    return Ledger.from_frames({name: pl.DataFrame(content) for name, content in rows.items()})
