"""The measures that finance lives by: one function each, on a view, per currency and any level, with a 12-month trend.

Each function takes a ``View`` (or a ``Books``, a view prepared once for many measures), an optional past day ``at`` and
levels ``by`` out of entity_id, segment, parent_id and customer_id, and gives one row per level value and currency with
the figure, the amounts it was made from, and ``missing``: the reason where there is no figure. Formulas:
docs/reference/metrics.md.
"""

from duecourse.ledger.metrics.ageing import BUCKETS, ageing, at_risk_rate, cure_rate, past_due_share, roll_rates
from duecourse.ledger.metrics.books import LEVELS, Books
from duecourse.ledger.metrics.collection import bad_debt_ratio, cei, dilution, unapplied_share
from duecourse.ledger.metrics.concentration import customer_shares, hhi, top_share
from duecourse.ledger.metrics.contacts import (
    accounts_worked_per_day,
    collection_effectiveness_rate,
    contact_to_cash,
    cost_per_unit_collected,
    response_rate,
    touchless_share,
)
from duecourse.ledger.metrics.delays import (
    LATE_STEPS,
    carried_by,
    days_beyond_terms,
    days_to_pay,
    kaplan_meier_median,
    late_items,
    late_share,
)
from duecourse.ledger.metrics.dso import (
    average_days_delinquent,
    best_possible_dso,
    dso_countback,
    dso_simple,
    dso_true,
    receivables_turnover,
)
from duecourse.ledger.metrics.settlement import (
    days_deductions_outstanding,
    dispute_cycle,
    promise_kept_rate,
    promise_outcomes,
)
from duecourse.ledger.metrics.trend import trend
from duecourse.ledger.metrics.value import (
    DiscountPrice,
    Return,
    bad_debt_avoided,
    early_payment_price,
    expected_loss,
    roi,
    working_capital_freed,
)

__all__ = [
    "BUCKETS",
    "LATE_STEPS",
    "LEVELS",
    "Books",
    "DiscountPrice",
    "Return",
    "accounts_worked_per_day",
    "ageing",
    "at_risk_rate",
    "average_days_delinquent",
    "bad_debt_avoided",
    "bad_debt_ratio",
    "best_possible_dso",
    "carried_by",
    "cei",
    "collection_effectiveness_rate",
    "contact_to_cash",
    "cost_per_unit_collected",
    "cure_rate",
    "customer_shares",
    "days_beyond_terms",
    "days_deductions_outstanding",
    "days_to_pay",
    "dilution",
    "dispute_cycle",
    "dso_countback",
    "dso_simple",
    "dso_true",
    "early_payment_price",
    "expected_loss",
    "hhi",
    "kaplan_meier_median",
    "late_items",
    "late_share",
    "past_due_share",
    "promise_kept_rate",
    "promise_outcomes",
    "receivables_turnover",
    "response_rate",
    "roi",
    "roll_rates",
    "top_share",
    "touchless_share",
    "trend",
    "unapplied_share",
    "working_capital_freed",
]
