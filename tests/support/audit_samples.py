"""A made-up audit with every field filled, as ``Audit.to_dict()`` gives it."""

from __future__ import annotations

from datetime import date
from typing import Any

from duecourse.ledger.audit.model import (
    AgeingBucket,
    Audit,
    ColumnFill,
    Concentration,
    ContactOrder,
    CurrencyBook,
    CustomerRow,
    Fault,
    Figure,
    History,
    LateCustomer,
    LateDrivers,
    LateShare,
    RecordingDelay,
    Refused,
    Rung,
    TableFill,
    TrendPoint,
    WeekdayCount,
)

AS_OF = date(2026, 9, 1)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _figure(key: str, label: str, value: float | None, unit: Any, missing: str = "") -> Figure:
    return Figure(key, label, value, unit, missing, "AR / S * n", "moves with sales", {"S": 100})


def _trend() -> tuple[TrendPoint, ...]:
    months = [date(2025 + (8 + k) // 12, (8 + k) % 12 + 1, 1) for k in range(13)]
    return tuple(
        TrendPoint(
            month,
            900_000_00 + k * 1_000_00,
            200_000_00,
            700_000_00,
            40.0 + k / 3,
            38.0 + k / 4,
            30.0 + k / 9,
            8.0,
            None if k == 0 else 82.0 - k / 3,
            36.0 + k / 5,
            6.0 + k / 5,
        )
        for k, month in enumerate(months)
    )


def _book(currency: str) -> CurrencyBook:
    figures = (
        _figure("receivable", "Receivable", 912_345_67, "minor"),
        _figure("past_due_share", "Past-due share", 0.214, "share"),
        _figure("dso_countback", "DSO, count-back", 41.2, "days"),
        _figure("best_possible_dso", "Best possible DSO", 32.4, "days"),
        _figure("average_days_delinquent", "Average days delinquent", 8.8, "days"),
        _figure("cei", "CEI", 78.2, "percent"),
        _figure("days_to_pay_km_median", "Median days to pay", 37.0, "days"),
        _figure("at_risk_rate", "At-risk rate", None, "share", "n/a because no cohort is 90 days old"),
        _figure("hhi", "HHI", 0.062, "index"),
        _figure("turnover", "Turnover", 8.9, "ratio"),
    )
    amounts = (600_000_00, 180_000_00, 70_000_00, 32_345_67, 30_000_00)
    names = ("current", "1-30", "31-60", "61-90", "91+")
    ageing = tuple(
        AgeingBucket(name, 9, amount, amount / 912_345_67) for name, amount in zip(names, amounts, strict=True)
    )
    late = tuple(
        LateShare(label, days, 4_000, int(4_000 * share), share, share * 0.9, "")
        for label, days, share in (("late", 0, 0.41), ("> 5 days", 5, 0.12), ("90+ days", 89, 0.01))
    )
    curve = tuple((k / 20, min(1.0, (k / 20) ** 0.35)) for k in range(21))
    top = tuple(
        LateCustomer(f"C{k}", f"Customer {k}", 90_000_00 // (k + 1), 0.3 / (k + 1), 40 - k, 10**9) for k in range(12)
    )
    drivers = LateDrivers(300_000_00, 640, 88, 210, 14, curve, top, "")
    customers = tuple(
        CustomerRow(
            f"C{k}",
            f"Customer {k}" if k % 3 else None,
            30 + k,
            4,
            20_000_00,
            4_000_00,
            30.0,
            36.0 + k,
            35.0,
            6.0 + k,
            0.4,
            9_000_00,
            40.0,
            tuple(None if j == 2 else 38.0 + j * (k % 5 - 2) / 3 for j in range(13)),
            tuple(None if j < 3 else 4.0 + j * (k % 4 - 1) / 2 for j in range(13)),
        )
        for k in range(60)
    )
    orders = (
        ContactOrder("present", 0, None, 0, None, "no outgoing contact is logged"),
        ContactOrder("oldest_first", 88, 0.42, 20, 9, ""),
        ContactOrder("largest_first", 88, 0.31, 20, 7, ""),
    )
    return CurrencyBook(
        currency,
        2,
        figures,
        ageing,
        late,
        _trend(),
        drivers,
        tuple(Concentration(f"C{k}", f"Customer {k}", 100_000_00 // (k + 1), 0.2 / (k + 1)) for k in range(5)),
        orders,
        customers,
        7,
    )


def audit_dict(*, currencies: tuple[str, ...] = ("USD", "EUR")) -> dict[str, Any]:
    """The audit as plain data; without currencies it is the audit of an empty ledger."""
    rungs = tuple(
        Rung(
            name,
            "500 settled invoices",
            "5,200",
            name != "season",
            "dates with bands",
            "" if name != "season" else "no year",
        )
        for name in ("terms", "book", "customer_history", "model", "season")
    )
    return Audit(
        as_of=AS_OF,
        snapshot_id="3f1c9a7be2d4",
        verdict="The book can be trusted: 5,200 settled invoices over 14 months reach the model.",
        notes=("Days are business dates of the entity.",),
        rows_read=5_842,
        rows_accepted=5_836,
        rows_refused=6,
        refused=(Refused("sample.csv", "amount", "a decimal number", 6, "12,0x"),),
        tables=(
            TableFill(
                "invoices",
                5_836,
                2,
                date(2025, 6, 1),
                AS_OF,
                (ColumnFill("invoice_id", True, 5_836, 1.0), ColumnFill("po_number", False, 2_000, 0.343)),
                "",
            ),
            TableFill("disputes", 0, 0, None, None, (), "Disputed amounts would leave the queue."),
        ),
        faults=(
            Fault(
                "due_before_issue",
                "invoices",
                "warning",
                "The due date lies before the issue date.",
                3,
                5_836,
                ("INV-1: issued 2026-05-04, due 2026-04-30",),
                {"USD": 912_00},
                "refuse it at entry",
                "Check the terms.",
            ),
        ),
        fault_kinds_checked=24,
        history=History(
            date(2025, 6, 1), AS_OF, date(2025, 7, 1), AS_OF, 14.0, 5_836, 5_200, 636, 120, 110, "model", rungs
        ),
        recording=(
            RecordingDelay("payments", 5_200, True, 0.8, 0.0, 2.0, 14, 1, ""),
            RecordingDelay("invoices", 5_836, False, None, None, None, None, 0, "n/a because no recorded_at is given"),
        ),
        weekdays=tuple(
            WeekdayCount(k + 1, name, 1_000 if k < 5 else 3, 0.2 if k < 5 else 0.0) for k, name in enumerate(_DAYS)
        ),
        books=tuple(_book(currency) for currency in currencies),
    ).to_dict()
