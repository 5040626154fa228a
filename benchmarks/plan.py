"""The plan of the learned policy: allocation against the linear programme, speed, and the audit of propensities.

    python benchmarks/plan.py

Every figure has its goal and its floor beside it. The book of the speed test is made up of random habits; nothing in it
is a claim about money.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from machine import publish, table
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.learned import Book, Resources, Settings, decide
from duecourse.science.decisions.learned.allocation import (
    Limits,
    allocate_draws,
    classes_of,
    limits_of,
    value_of,
)
from duecourse.science.decisions.learned.book import ARM, NONE, empty_book
from duecourse.science.decisions.learned.rounding import draw, planned

A = len(ARMS)
SIZES = (1_000, 10_000)
AUDIT_POINTS, AUDIT_DRAWS = 1_000, 2_000
PLAN_POINTS, PLAN_INVOICES, PLAN_WEEKS = 10_000, 260_000, 104
TODAY = 20_458 + 7 * 120


def resources(minutes: float, messages: float = float("inf"), letters: float = float("inf")) -> Resources:
    """All twelve arms; calls of 12 and 15 minutes."""
    needs = np.zeros(A)
    needs[[ARM["call_service"], ARM["call_firm"]]] = 12
    needs[ARM["call_plan"]] = 15
    cost = np.where(np.arange(A) == NONE, 0.0, 40.0)
    return Resources(np.ones(A, dtype=bool), cost, needs, minutes, messages=messages, letters=letters)


def qualities(seed: int, draws: int, points: int) -> np.ndarray:
    """Log-normal gains less a price, a third of the arms masked."""
    rng = np.random.default_rng(seed)
    quality = rng.lognormal(3, 1.2, (draws, points, A)) - 20
    quality[:, rng.random((points, A)) < 1 / 3] = -np.inf
    quality[:, :, NONE] = 0
    return quality


def optimum(quality: np.ndarray, limits: Limits) -> tuple[float, float]:
    """Value and seconds of the linear programme (HiGHS)."""
    began = time.perf_counter()
    row, arm = np.nonzero(np.isfinite(quality))
    each = coo_matrix((np.ones(row.size), (row, np.arange(row.size))), shape=(quality.shape[0], row.size))
    found = linprog(
        -quality[row, arm], A_ub=coo_matrix(limits.use[:, arm]), b_ub=limits.total, A_eq=each,
        b_eq=np.ones(quality.shape[0]), bounds=(0, 1), method="highs",
    )  # fmt: skip
    return float(-found.fun), time.perf_counter() - began


def allocation() -> str:
    """Gap and time of one allocation per size."""
    rows = []
    for points in SIZES:
        quality = qualities(points, 1, points)
        limits = limits_of(resources(points * 1.0, points * 0.3, points * 0.05))
        began = time.perf_counter()
        made = allocate_draws(quality, limits)
        seconds = time.perf_counter() - began
        best, lp_seconds = optimum(quality[0], limits)
        gap = 100 * (1 - float(value_of(quality, made.arm)[0]) / best)
        used = limits.use[:, made.arm[0]].sum(axis=1)
        over = int((used > limits.total + 1e-6).sum())
        goal = "gap .05 % (floor .1 %), 1 s (2 s), 0 over" if points == SIZES[-1] else ""
        rows.append([f"{points:,} x 12", f"{gap:.4f} %", f"{seconds:.2f} s", f"{lp_seconds:.2f} s", str(over), goal])
    return "## One allocation, four limits (minutes, messages, letters, one arm each)\n\n" + table(
        ["accounts x arms", "gap to the linear programme", "time", "HiGHS", "limits exceeded", "goal"], rows
    )


def audit() -> str:
    """Frequencies of lots against the logged probabilities."""
    limits = limits_of(resources(AUDIT_POINTS * 1.5, AUDIT_POINTS * 0.4))
    rng = np.random.default_rng(7)
    common = rng.normal(0, 20, (AUDIT_POINTS, A))
    quality = common + rng.normal(0, 20, (64, AUDIT_POINTS, A))
    allowed = rng.random((AUDIT_POINTS, A)) < 0.7
    allowed[:, NONE] = True
    quality[:, ~allowed] = -np.inf
    quality[:, :, NONE] = 0
    chances = planned(allocate_draws(quality, limits).arm, allowed, limits)
    kind, hits = classes_of(limits), np.zeros_like(chances)
    totals: set[tuple[int, ...]] = set()
    ineligible = over = 0
    began = time.perf_counter()
    for _ in range(AUDIT_DRAWS):
        arm = draw(chances, kind, rng)
        hits[np.arange(AUDIT_POINTS), arm] += 1
        ineligible += int((~allowed[np.arange(AUDIT_POINTS), arm]).sum())
        over += int((limits.use[:, arm].sum(axis=1) > limits.total + 1e-6).sum())
        totals.add(tuple(np.bincount(kind[arm], minlength=int(kind.max()) + 1).tolist()))
    seconds = (time.perf_counter() - began) / AUDIT_DRAWS
    uncertain = (chances > 0.002) & (chances < 0.998)
    spread = np.sqrt(AUDIT_DRAWS * chances * (1 - chances))
    z = ((hits - AUDIT_DRAWS * chances)[uncertain]) / spread[uncertain]
    rows = [
        ["rms z of frequency against logged probability", f"{np.sqrt(np.mean(z**2)):.3f}", ".97-1.03", ".95-1.05"],
        ["pairs of account and arm", f"{z.size:,} x {AUDIT_DRAWS:,} lots", "", ""],
        ["different class totals seen (1 = exact in every lot)", str(len(totals)), "1", "1"],
        ["limits exceeded", str(over), "0", "0"],
        ["ineligible arms drawn", str(ineligible), "0", "0"],
        ["largest error of a row's sum", f"{np.abs(chances.sum(axis=1) - 1).max():.1e}", "1e-9", "1e-9"],
        ["seconds per lot", f"{seconds:.3f}", "", ""],
    ]
    return "## Propensities\n\n" + table(["measure", "result", "goal", "floor"], rows)


def a_book() -> Book:
    """10,000 contact points, all with something overdue, two years of invoices and 26 weeks of logged decisions."""
    rng = np.random.default_rng(3)
    point = rng.integers(0, PLAN_POINTS, PLAN_INVOICES)
    due = TODAY - rng.integers(-30, 7 * PLAN_WEEKS, PLAN_INVOICES)
    slow = np.exp(rng.normal(2.2, 0.8, PLAN_POINTS))
    paid = due + np.round(rng.exponential(slow[point]) - 4).astype(np.int64)
    paid = np.where(paid < TODAY, paid, -1)
    late = np.unique(point[due < TODAY - 7], return_index=True)[1]
    late = np.flatnonzero(due < TODAY - 7)[late]  # one invoice of everybody is open, so that everybody is decided
    due[late], paid[late] = TODAY - rng.integers(1, 120, late.size), -1
    amount = np.round(np.exp(rng.normal(12.4, 1.0, PLAN_INVOICES)))
    weeks = np.repeat(np.arange(1, 27), PLAN_POINTS // 2)
    who = np.concatenate([rng.choice(PLAN_POINTS, PLAN_POINTS // 2, replace=False) for _ in range(26)])
    chances = np.zeros((who.size, A))
    chances[:, [0, 1, 2]] = (0.6, 0.3, 0.1)
    arm = rng.choice(3, who.size, p=(0.6, 0.3, 0.1))
    sent = arm > 0
    content = empty_book(TODAY, PLAN_POINTS) | {
        "point": point, "issued": due - 30, "due": due, "amount_minor": amount, "paid_day": paid,
        "collectible_minor": np.where((paid < 0) & (due > TODAY - 400), amount, 0.0),
        "closed_day": np.where((paid < 0) & (due <= TODAY - 400), due + 400, -1),
        "written_off_day": np.full(PLAN_INVOICES, -1), "timing_logit": np.zeros(PLAN_INVOICES),
        "decision_point": who, "decision_day": TODAY - 7 * weeks, "decision_arm": arm, "decision_executed": arm,
        "decision_propensities": chances, "contact_point": who[sent], "contact_day": (TODAY - 7 * weeks)[sent],
        "contact_arm": arm[sent], "contact_human": np.zeros(int(sent.sum()), dtype=bool),
        "contact_reached": np.full(int(sent.sum()), -1),
    }  # fmt: skip
    return Book(**content)  # type: ignore[arg-type]


def speed() -> str:
    """A whole weekly plan: fit with the instrument check, 64 draws, allocation, lot."""
    book = a_book()
    means = resources(10_000.0)
    began, worked = time.perf_counter(), time.process_time()
    outcome = decide(book, means, 1, Settings(tune=False))
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    again = decide(book, means, 1, Settings(tune=False))
    equal = np.array_equal(outcome.decided.arm, again.decided.arm) and np.array_equal(
        outcome.decided.propensities, again.decided.propensities
    )
    rows = [
        ["contact points, of which decided", f"{PLAN_POINTS:,}, {outcome.decided.point.size:,}", "", ""],
        ["overdue invoice-weeks learnt from", f"{outcome.knowledge.past.panel.rows:,}", "", ""],
        ["coefficients", str(outcome.knowledge.columns.total), "", ""],
        ["weekly plan, 64 draws, from the book in memory", f"{seconds:.1f} s", "10 s", "20 s"],
        ["the same in processor time (one core)", f"{worked:.1f} s", "", ""],
        ["second run with the same seed", "equal" if equal else "DIFFERENT", "equal", "equal"],
    ]
    return "## A weekly plan\n\n" + table(["measure", "result", "goal", "floor"], rows)


def main() -> int:
    """Run all and publish."""
    publish("plan", "The learned plan: allocation, propensities, speed", [allocation(), audit(), speed()])
    return 0


if __name__ == "__main__":
    sys.exit(main())
