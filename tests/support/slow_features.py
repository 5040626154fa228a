"""The features of one (landmark, day) by their definitions, with plain loops over plain rows: slow and obvious."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

import numpy as np

from duecourse.core.calendar import holiday_days
from duecourse.ledger.as_of import View
from duecourse.ledger.balances import invoice_balances

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Invoice:
    invoice_id: str
    customer: str
    issue: int
    due: int
    amount: float
    known: int
    paid_on: int | None
    paid_known: int | None


def plain_invoices(view: View) -> list[Invoice]:
    def number(day: date | None) -> int | None:
        return None if day is None else (day - EPOCH).days

    return [
        Invoice(
            row["invoice_id"], row["customer_id"], number(row["issued_on"]), number(row["due_on"]),
            float(row["amount_minor"]), number(row["recorded_at"].date()), number(row["paid_on"]),
            number(row["paid_known_on"]),
        )
        for row in invoice_balances(view).iter_rows(named=True)
    ]  # fmt: skip


def slow_features(books: list[Invoice], own: Invoice, s: int, u: int, width: int, country: str) -> dict[str, float]:
    """Every feature of invoice ``own`` seen from day ``s`` for day ``u``; missing values are nan."""
    nan = math.nan
    paid_book = [one for one in books if one.paid_known is not None and one.paid_known < s]
    paid = sorted((one for one in paid_book if one.customer == own.customer), key=_clearing)
    last50 = [one.paid_on - one.due for one in paid[-50:]][::-1]
    last20 = last50[:20]
    seen = [one for one in books if one.customer == own.customer and max(one.known, one.issue) < s]
    still_open = [one for one in seen if one.paid_known is None or one.paid_known >= s]
    others = [one for one in still_open if one is not own]
    pay_days = sorted({one.paid_known for one in paid})
    gaps = [later - earlier for earlier, later in zip(pay_days[-10:], pay_days[-10:][1:], strict=False)]
    since = s - pay_days[-1] if pay_days else nan
    average = math.log1p(np.mean([one.amount for one in paid[-50:]])) if paid else nan
    amount = math.log1p(own.amount)
    x, at = u - own.due, EPOCH + timedelta(days=u)
    gap = median(gaps) if gaps else nan
    p50 = float(np.percentile(last20, 50)) if last20 else nan
    n = len(last50)
    weekdays = [(EPOCH + timedelta(days=one.paid_on)).weekday() for one in paid]
    book_weekdays = [(EPOCH + timedelta(days=one.paid_on)).weekday() for one in paid_book]
    near = [(at.day - 1 + shift) % 31 + 1 for shift in (-1, 0, 1)]
    month_days = [(EPOCH + timedelta(days=one.paid_on)).day in near for one in paid]
    book_month_days = [(EPOCH + timedelta(days=one.paid_on)).day in near for one in paid_book]
    due = EPOCH + timedelta(days=own.due)
    month_end = ((at.replace(day=28) + timedelta(days=4)).replace(day=1) - at).days - 1
    due_end = ((due.replace(day=28) + timedelta(days=4)).replace(day=1) - due).days - 1
    daily = width == 1
    holiday = float(u in set(holiday_days(country, at, at).tolist()))
    own_weekday = (
        weekdays.count(at.weekday()) + 4 * (book_weekdays.count(at.weekday()) + 1) / (len(paid_book) + 7)
    ) / (len(paid) + 4)
    own_month_day = (sum(month_days) + 4 * (sum(book_month_days) + 3) / (len(paid_book) + 31)) / (len(paid) + 4)
    at_least = sum(delay >= x - 1 for delay in last50)
    return {
        "paid_count": len(paid),
        "delay_mean": np.mean(last50) if n else nan,
        "delay_sd": np.std(last50, ddof=1) if n > 1 else nan,
        **{f"delay_p{q}": np.percentile(last20, q) if n else nan for q in (10, 25, 50, 75, 90)},
        "share_late": np.mean([delay > 0 for delay in last50]) if n else nan,
        "share_late_15": np.mean([delay > 15 for delay in last50]) if n else nan,
        "average_amount_log": average,
        "delay_last": last50[0] if n else nan,
        "delay_mean_3": np.mean(last50[:3]) if n >= 3 else (np.mean(last50) if n else nan),
        "delay_second": last50[1] if n > 1 else nan,
        "delay_third": last50[2] if n > 2 else nan,
        "days_since_payment": since,
        "payment_gap_median": gap,
        "open_count": len(others),
        "overdue_count": sum(one.due < s for one in others),
        "worst_overdue_days": max((s - one.due for one in still_open if one.due < s), default=0),
        "open_amount_log": math.log1p(sum(one.amount for one in others)) if others else 0.0,
        "newer_due_paid_30": sum(one.paid_known >= s - 30 and one.due > own.due for one in paid),
        "older_due_open": sum(one.due < own.due for one in others),
        "same_due_open": sum(abs(one.due - own.due) <= 1 for one in others),
        "same_due_paid": sum(abs(one.due - own.due) <= 1 for one in paid),
        "arrears_rate_log": _arrears_rate(books, own, s, 10**6),
        "arrears_rate_recent_log": _arrears_rate(books, own, s, 120),
        "amount_log": amount,
        "amount_to_average_log": amount - average,
        "terms_days": own.due - own.issue,
        "days_late_at_landmark": s - own.due,
        "age_at_landmark": s - own.issue,
        "due_weekday": due.weekday(),
        "due_day_of_month": due.day,
        "due_to_month_end": due_end,
        "group": 0,
        "part_paid_share": 0.0,  # nothing is paid in parts here; test_part_payments looks at that
        "days_since_part": nan,
        "days_late": x,
        "age": u - own.issue,
        "weekday": at.weekday() if daily else nan,
        "day_of_month": at.day,
        "days_to_month_end": month_end,
        "first_three_days": at.day <= 3,
        "holiday": holiday if daily else nan,
        "days_since_payment_on_day": since + u - s,
        "payment_gap_ratio": (since + u - s) / max(gap, 1) if gaps else nan,
        "days_late_minus_p50": x - p50,
        "bin_width": width,
        "own_weekday_share": own_weekday if daily else nan,
        "own_month_day_share": own_month_day,
        "own_cdf": sum(delay < x for delay in last50) / n if n else nan,
        "own_hazard": (sum(x - 1 <= delay <= x + 1 for delay in last50) / 3 + 0.06) / (at_least + 1),
        "days_since_part_on_day": nan,
    }


def _arrears_rate(books: list[Invoice], own: Invoice, s: int, days: int) -> float:
    """Log of payments per day overdue of the customer's other invoices in the ``days`` before s."""

    def overdue_time(invoices: list[Invoice], first: int) -> tuple[int, int]:
        payments, overdue = 0, 0
        for one in invoices:
            entered = max(max(one.known, one.issue) + 1, one.due + 1)
            left = 10**7 if one.paid_known is None else one.paid_known + 1
            if left > entered:
                overdue += max(min(left, s) - max(entered, first), 0)
                payments += first < left <= s
        return payments, overdue

    def own_open(one: Invoice) -> bool:
        return one is own and (one.paid_known is None or one.paid_known >= s)

    mine = [one for one in books if one.customer == own.customer and not own_open(one)]
    book_payments, book_days = overdue_time(books, -(10**7))
    book_rate = (book_payments + 1) / (book_days + 60)
    payments, overdue = overdue_time(mine, s - days)
    return math.log((payments + 2) / (overdue + 2 / book_rate))


def _clearing(one: Invoice) -> tuple[int, int, str]:
    assert one.paid_known is not None
    assert one.paid_on is not None
    return one.paid_known, one.paid_on, one.invoice_id
