"""A made-up run report with every section filled, from a seed; no row of it comes from anybody's books."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from duecourse.core.errors import Problem
from duecourse.ledger.audit.measure_table import SCHEMA
from duecourse.reports.run_data import Guess, ImportNotes, RunIdentity, RunReport
from support.audit_samples import audit_dict

AS_OF = date(2026, 9, 1)
_FIRST = (
    "Alder Birch Cedar Dogwood Elm Fir Gorse Hazel Ilex Juniper Larch Maple Nettle Oak Pine Rowan Sorrel Thorn".split()
)
_SECOND = "Foods Logistics Packaging Retail Trading Wholesale Kitchens Provisions Catering Markets".split()
_REASONS = (
    ("usually pays 8 days after due", 6),
    ("pays on Thursdays", 2),
    ("newer invoices were paid, this one was not", 9),
)


def _name(index: int) -> str:
    return f"{_FIRST[index % len(_FIRST)]} {_SECOND[(index * 7) % len(_SECOND)]}"


def scores(invoices: int, customers: int, *, seed: int = 1, currency: str = "USD") -> pl.DataFrame:
    """``invoices`` open invoices of ``customers`` customers with plausible dates and risks."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for index in range(invoices):
        customer = int(rng.zipf(1.6) - 1) % customers
        late = int(rng.integers(-30, 25)) if rng.random() < 0.9 else int(rng.integers(25, 140))
        middle = max(0, int(rng.normal(9 - late * 0.4, 5)))
        low, high = max(0, middle - int(rng.integers(1, 6))), middle + int(rng.integers(2, 25))
        rows.append(
            {
                "invoice_id": f"INV-{10_000 + index}",
                "customer_id": f"C{customer:04d}",
                "as_of": AS_OF,
                "open_minor": int(np.exp(rng.normal(12.5, 1.1))),
                "currency": currency,
                "days_late": late,
                "segment": ("prompt", "occasional", "chronic", "new")[customer % 4],
                "p_late": 1.0 if late > 0 else round(float(rng.beta(2, 4)), 4),
                "p_late_30": round(float(rng.beta(1, 12)), 4),
                "p_late_60": round(float(rng.beta(1, 20)), 4),
                "p_never": round(float(rng.beta(1, 90)), 4),
                "paid_on_p10": AS_OF + timedelta(days=low),
                "paid_on_p50": AS_OF + timedelta(days=middle),
                "paid_on_p90": AS_OF + timedelta(days=high) if rng.random() < 0.96 else None,
                "expected_days": float(middle) + 1.3,
                "reasons": json.dumps([{"reason": text, "days": days} for text, days in _REASONS[: customer % 4]]),
                "rung": "model" if customer % 9 else "customer_history",
                "model_id": "m-5d41c8",
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None).sort("customer_id", "invoice_id")


def worklist(scored: pl.DataFrame, length: int) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, str]]:
    """The worklist of the ``length`` customers with most overdue money, its decisions, and its drafts."""
    overdue = (
        scored.filter(pl.col("days_late") > 0)
        .group_by("customer_id")
        .agg(pl.col("open_minor").sum(), pl.col("days_late").max(), pl.col("invoice_id").sort())
        .sort(["open_minor", "customer_id"], descending=[True, False])
    )
    arms = ("email_neutral", "call_service", "email_soft", "call_firm")
    rows: list[dict[str, Any]] = []
    decisions: list[dict[str, Any]] = []
    drafts = {}
    for rank, row in enumerate(overdue.head(length).iter_rows(named=True), start=1):
        customer = row["customer_id"]
        name = _name(int(customer[1:]))
        gain = row["open_minor"] // (37 + rank)
        minutes = 12.0 if rank % 2 == 0 else 2.0
        draft = f"{rank:03d}-{customer}.txt"
        rows.append(
            {
                "rank": rank,
                "customer_id": customer,
                "name": name,
                "open_minor": row["open_minor"],
                "collectible_minor": row["open_minor"] * 9 // 10,
                "days_late_max": row["days_late"],
                "arm": arms[rank % 4],
                "contact_id": f"K{customer[1:]}",
                "send_at": "2026-09-01T09:00:00Z",
                "why": f"{row['days_late']} days late; usual for this customer is 4, so it is "
                f"{max(row['days_late'] - 4, 1)} days beyond its own habit while newer invoices were paid.",
                "expected_gain_minor": gain,
                "minutes": minutes,
                "gain_per_hour_minor": int(gain * 60 / minutes),
                "draft": draft,
                "needs_human": "high_value" if rank == 1 else "",
            }
        )
        decisions.append(
            {
                "decision_id": f"D{rank}",
                "customer_id": customer,
                "invoice_ids": row["invoice_id"],
                "arm": arms[rank % 4],
                "gain_p10_minor": gain // 3,
                "gain_p90_minor": gain * 2,
                "policy": "value_at_stake",
                "masked": json.dumps({"sms_soft": "no consent to text messages", "email_discount": "not in capacity"}),
            }
        )
        drafts[draft] = (
            f"Subject: Open invoices\n\nDear {name} team,\n\nour books show {len(row['invoice_id'])} open invoices. "
            "Could you tell us on which day they are planned for payment?\n\nKind regards"
        )
    return pl.DataFrame(rows), pl.DataFrame(decisions), drafts


def cash(scored: pl.DataFrame, days: int = 91) -> tuple[pl.DataFrame, pl.DataFrame]:
    """``cash_daily`` and ``cash_weekly`` that bring 90 % of the open book, mostly early and never on weekends."""
    daily: list[dict[str, Any]] = []
    weekly: list[dict[str, Any]] = []
    for currency in sorted(set(scored["currency"])):
        total = int(scored.filter(pl.col("currency") == currency)["open_minor"].sum() * 0.9)
        weight = np.array([np.exp(-day / 22) * ((AS_OF + timedelta(days=day)).weekday() < 5) for day in range(days)])
        means = (weight / weight.sum() * total).astype(int)
        for day, mean in enumerate(means.tolist()):
            daily.append(_cash_row("date", AS_OF + timedelta(days=day), currency, mean))
        for week in range(days // 7):
            mean = int(means[week * 7 : week * 7 + 7].sum())
            weekly.append(_cash_row("week_start", AS_OF + timedelta(days=7 * week), currency, mean))
    return pl.DataFrame(daily), pl.DataFrame(weekly)


def _cash_row(key: str, day: date, currency: str, mean: int) -> dict[str, Any]:
    return {
        key: day,
        "currency": currency,
        "p10_minor": mean * 6 // 10,
        "p50_minor": mean * 97 // 100,
        "p90_minor": mean * 15 // 10,
        "mean_minor": mean,
        "open_mean_minor": mean,
        "new_mean_minor": 0,
    }


def _measures(crps: float | None, mae: float, auc: float, n: int) -> dict[str, Any]:
    ranking = {"n": n, "positives": 80, "auc": auc, "average_precision": 0.5, "recall_at_5_percent": auc - 0.2}
    return {
        "n": n,
        "horizon": 60,
        "mae": mae,
        "median_absolute_error": 1.0,
        "rmse": mae * 2,
        "bias": -0.2,
        "within_5": 0.9 - mae / 50,
        "within_2": 0.6,
        "crps": crps,
        "pinball": {"0.5": mae / 2},
        "coverage": 0.83 if crps else None,
        "width": 9.1 if crps else None,
        "uniformity": {
            "histogram": [0.1] * 10,
            "below_10": 0.092,
            "above_90": 0.097,
            "distance": 0.02,
            "d_calibration_p": 0.2,
        }
        if crps
        else None,
        "ranking": {"late": ranking, "late_60": ranking},
        "cash_error": {"7": mae / 60, "14": mae / 80, "30": mae / 120},
    }


def _calibration(n: int) -> dict[str, Any]:
    pit = [0.092, 0.101, 0.104, 0.099, 0.108, 0.103, 0.097, 0.101, 0.098, 0.097]
    bins = [
        {
            "low": k / 10,
            "high": (k + 1) / 10,
            "n": 40 + 30 * (9 - k),
            "predicted": k / 10 + 0.05,
            "observed": min(1.0, k / 10 + 0.045 + 0.012 * (k % 3)),
        }
        for k in range(10)
    ]
    horizons = ((7, 0.81), (14, 0.83), (30, 0.84), (60, 0.82))
    return {
        "n": n,
        "pit_histogram": pit,
        "by_horizon": [
            {"days": days, "n": n, "inside": int(n * share), "expected_paid": n * 0.5, "paid": n // 2}
            for days, share in horizons
        ],
        "coverage": {
            "segment": [
                {"group": one, "n": 300, "inside": inside}
                for one, inside in (("prompt", 252), ("occasional", 246), ("chronic", 233), ("new", 224))
            ],
            "customer_size": [
                {"group": "largest 10 %", "n": 500, "inside": 410},
                {"group": "others", "n": 700, "inside": 580},
            ],
        },
        "reliability": {"late": bins, "late_60": bins[:4]},
    }


def _segment(name: str, gain: float, says: str) -> dict[str, Any]:
    crps = {"crps_model": 2.0, "rival": "customer_empirical", "crps_rival": 2.0 + gain, "gain": gain}
    return {"segment": name, "cases": 812, "customers": 64, **crps, "gain_low": gain - 0.1, "gain_high": gain + 0.1,
            "says": says}  # fmt: skip


def backtest(*, allowed: bool = True) -> dict[str, Any]:
    """A backtest report as plain data; ``allowed`` is the gate's verdict."""
    model = 1.93 if allowed else 4.34
    methods = {
        "due_date": _measures(6.7, 6.7, 0.5, 3329),
        "customer_median": _measures(5.5, 5.5, 0.73, 3329),
        "customer_empirical": _measures(2.85, 3.9, 0.75, 3329),
        "lgbm_l2": _measures(4.1, 4.1, 0.76, 3329),
        "lgbm_quantile": _measures(None, 4.0, 0.76, 3329),
        "model": _measures(model, 2.5, 0.86, 3329),
    }
    check = {"name": "CRPS", "holds": allowed, "because": f"{model} days against 2.85 of the customer's own history"}
    snapshots = ["2026-05-01", "2026-06-01", "2026-07-01"]
    says = (
        "On your book the model is more accurate."
        if allowed
        else "The customer's own history is more accurate on your book."
    )
    verdict = {
        "use_model": allowed,
        "says": says,
        "checks": [check],
        "snapshots": 3,
        "cases": 3329,
        "gain": 0.92,
        "gain_low": 0.6,
        "gain_high": 1.2,
    }
    sets = {
        name: {
            "set": name,
            "cases": 1100,
            "customers": 200,
            "horizon": 60,
            "wanted_horizon": 120,
            "not_scored": "",
            "methods": methods,
            "gain": 0.9,
        }
        for name in ("open", "new")
    }
    return {
        "known_until": "2026-08-31",
        "seed": 0,
        "new_days": 30,
        "snapshots": [
            {
                "snapshot": day,
                "cleared": 5200,
                "months_of_clearings": 14,
                "model": "fitted",
                "sets": {name: {**one, "snapshot": day} for name, one in sets.items()},
            }
            for day in snapshots
        ],
        "means": {
            name: {code: {**values, "snapshots": 3, "horizon": [60]} for code, values in methods.items()}
            for name in ("open", "new")
        },
        "calibration": {
            name: {"model": _calibration(3329), "customer_empirical": _calibration(3329)} for name in ("open", "new")
        },
        "gate": {
            "allowed": allowed,
            "rung": "model" if allowed else "customer_history",
            "says": says,
            "verdicts": {name: {**verdict, "set": name} for name in ("open", "new")},
        },
        "labels": {"due_date": "Due date"},
        "segments": {"open": [_segment("prompt", 0.4, "use the model"), _segment("new", -0.2, "too few to tell")]},
    }


def audit(scored: pl.DataFrame) -> dict[str, Any]:
    """The part of an audit that the run page reads, as plain data."""
    known = {"dso_countback": 38.4, "best_possible_dso": 29.9, "average_days_delinquent": 8.5, "cei": 81.0}
    books = audit_dict(currencies=tuple(sorted(set(scored["currency"]))))["books"]
    for book in books:
        book["figures"] = [{**one, "value": known.get(one["key"], one["value"])} for one in book["figures"]]
        book["late"] = [{"more_than_days": 0, "count_share": 0.41, "invoices": 5200}]
        book["customers"] = [{**one, "customer_id": f"C{k:04d}"} for k, one in enumerate(book["customers"])]
    fault = {
        "code": "due_before_issue",
        "table": "invoices",
        "severity": "warning",
        "rows": 3,
        "of": scored.height,
        "what": "The due date lies before the issue date.",
        "examples": ["INV-10003: issued 2026-05-04, due 2026-04-30"],
        "amount_minor": {"USD": 912_00},
        "rule": "refuse a due date before the issue date",
        "cure": "Check the terms.",
    }
    return {
        "verdict": "The book holds 14 months of settled invoices: enough for every rung.",
        "faults": [fault],
        "books": books,
    }


def measures(currencies: tuple[str, ...] = ("USD",)) -> pl.DataFrame:
    """A long table of measures: the company and two segments, DSO over 13 months and what is open."""
    months = [AS_OF.replace(year=2025 + (8 + k) // 12, month=(8 + k) % 12 + 1) for k in range(13)]
    rows = [
        {"level": level, "key": key, "currency": currency, "metric": metric, "month": month,
         "value": None if unit == "minor" else 38.4 - (12 - k) / 4 + len(key),
         "amount_minor": (900_000_00 + k) // (1 + len(key)) if unit == "minor" else None, "unit": unit, "missing": ""}
        for currency in currencies
        for level, key in (("company", ""), ("segment", "key accounts"), ("segment", ""))
        for metric, unit in (("dso_countback", "days"), ("receivable", "minor"))
        for k, month in enumerate(months)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=SCHEMA)


def deterioration(customers: int = 6) -> pl.DataFrame:
    """Customers that pay later than they used to, and some that do not."""
    rows = [
        {
            "customer_id": f"C{index:04d}",
            "recent_n": 9 + index,
            "past_n": 40,
            "recent_days_late": 9.0 + index,
            "past_days_late": 2.0,
            "change_days": 7.0 + index,
            "low_days": 2.5 + index / 2,
            "high_days": 11.5 + 2 * index,
            "deteriorating": index % 4 != 3,
            "sentence": "",
        }
        for index in range(customers)
    ]
    return pl.DataFrame(rows)


def run_report(*, invoices: int = 600, customers: int = 120, listed: int = 60, allowed: bool = True) -> RunReport:
    """A report with every section filled."""
    scored = scores(invoices, customers)
    listed_frame, decisions, drafts = worklist(scored, listed)
    worked = set(listed_frame["customer_id"]) if listed_frame.height else set()
    daily, weekly = cash(scored)
    left = (
        scored.filter(~pl.col("customer_id").is_in(list(worked)))
        .group_by("customer_id")
        .agg(pl.col("open_minor").sum())
    )
    reasons = ("self_cure", "Nothing is due yet", "The whole amount is disputed", "No minutes left today")
    rest = [
        {
            "customer_id": row[0],
            "name": _name(int(row[0][1:])),
            "open_minor": row[1],
            "currency": "USD",
            "reason": reasons[index % 4],
        }
        for index, row in enumerate(left.sort("customer_id").iter_rows())
    ]
    return RunReport(
        identity=RunIdentity(
            title="Sample Trading Company",
            sources=("sample_export.csv",),
            as_of=AS_OF,
            snapshot_id="3f1c9a7be2d4",
            model_id="m-5d41c8",
            rung="model" if allowed else "customer_history",
            policy="value_at_stake",
            policy_version="1",
            seed=0,
            program_version="0.1.0",
            command="duecourse run sample_export.csv --out out",
        ),
        scores=scored,
        worklist=listed_frame,
        decisions=decisions,
        drafts=drafts,
        not_worked=pl.DataFrame(rest),
        names={f"C{index:04d}": _name(index) for index in range(customers)},
        cash_daily=daily,
        cash_weekly=weekly,
        deterioration=deterioration(),
        concentration=pl.DataFrame(
            [
                {
                    "customer_id": "C0000",
                    "currency": "USD",
                    "open_minor": 1,
                    "share": 0.31,
                    "change_days": 7.0,
                    "sentence": "31 % of the open book and paying 7 days later than it used to.",
                }
            ]
        ),
        segments=pl.DataFrame(
            {
                "customer_id": [f"C{index:04d}" for index in range(customers)],
                "segment": [("prompt", "occasional", "chronic", "new")[i % 4] for i in range(customers)],
            }
        ),
        imported=ImportNotes(
            files=("sample_export.csv",),
            rows_read=5_842,
            rows_used=5_836,
            skipped_rows=6,
            guesses=(
                Guess(
                    about="date order of due_date",
                    chosen="day before month",
                    because="13 and higher stand first",
                    change="[dates] order = 'mdy'",
                ),
                Guess(
                    about="currency",
                    chosen="USD",
                    because="the file names none",
                    change="currency = 'EUR'",
                    certain=False,
                ),
            ),
            problems=(Problem("sample_export.csv", 17, "amount", "12,0x", "a decimal number", "mend the cell"),),
            column_map={"Invoice No": "invoice_id", "Due Date": "due_on"},
            name_proposals=(("Alder Foods", "ALDER FOODS LTD"),),
        ),
        backtest=backtest(allowed=allowed),
        audit=audit(scored),
        measures=measures(tuple(sorted(set(scored["currency"])))),
    )


def empty_report() -> RunReport:
    """A report of a book in which nothing is open and nothing was learnt."""
    full = run_report(invoices=5, customers=2, listed=0)
    return replace(
        full,
        scores=full.scores.clear(),
        worklist=pl.DataFrame(),
        decisions=pl.DataFrame(),
        drafts={},
        not_worked=pl.DataFrame(),
        cash_daily=pl.DataFrame(),
        cash_weekly=pl.DataFrame(),
        deterioration=pl.DataFrame(),
        concentration=pl.DataFrame(),
        segments=pl.DataFrame(),
        measures=pl.DataFrame(),
        imported=ImportNotes(),
        backtest=None,
        audit=None,
    )
