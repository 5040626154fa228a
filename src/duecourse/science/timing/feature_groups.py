"""Which features belong together: the groups in which reasons are given and the model card adds up its gain.

``GROUPS`` can differ between an invoice and its norm; events have no columns, they move logits and curves.
``SHARED_WITH_NORM`` cannot: the norm is the same invoice on the same days.
"""

from __future__ import annotations

from collections.abc import Mapping

HABIT, RECENT, PAY_DAYS = "habit", "recent change", "pay-days"
ACCOUNT, SKIPPED, AMOUNT, EVENTS = "account now", "skipped", "amount", "events"

GROUPS: Mapping[str, tuple[str, ...]] = {
    HABIT: (
        "paid_count", "delay_mean", "delay_sd", "delay_p10", "delay_p25", "delay_p50", "delay_p75", "delay_p90",
        "share_late", "share_late_15", "average_amount_log", "days_late_minus_p50", "own_cdf", "own_hazard",
        "arrears_rate_log",
    ),
    RECENT: (
        "delay_last", "delay_mean_3", "delay_second", "delay_third", "days_since_payment", "payment_gap_median",
        "days_since_payment_on_day", "payment_gap_ratio", "arrears_rate_recent_log",
    ),
    PAY_DAYS: ("own_weekday_share", "own_month_day_share"),
    ACCOUNT: (
        "open_count", "overdue_count", "worst_overdue_days", "open_amount_log", "older_due_open", "same_due_open",
    ),
    SKIPPED: ("newer_due_paid_30", "same_due_paid"),
    AMOUNT: ("amount_to_average_log",),
    EVENTS: (),
}  # fmt: skip
SHARED_WITH_NORM: Mapping[str, tuple[str, ...]] = {
    "terms and due date": (
        "amount_log", "terms_days", "due_weekday", "due_day_of_month", "due_to_month_end", "group",
    ),
    "part payment": ("part_paid_share", "days_since_part", "days_since_part_on_day"),
    "age": ("days_late_at_landmark", "age_at_landmark", "days_late", "age", "bin_width"),
    "calendar": ("weekday", "day_of_month", "days_to_month_end", "first_three_days", "holiday"),
}  # fmt: skip
