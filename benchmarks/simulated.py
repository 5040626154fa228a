"""The timing model against the truth of simulated worlds: distance to the best possible forecast, calibration.

    python benchmarks/simulated.py            # as published: takes about a quarter of an hour on 2 cores
    python benchmarks/simulated.py --quick    # two small seeds, nothing written

Each seed is one company. The model is fitted on what its books knew on the snapshot day and scored on the open book
and on the invoices of the next 30 days, horizon 120 days, by the measures of the backtest. Beside it, on the same
cases: the oracle that knows every payer's parameters, the oracle that knows the world's parameters and infers the
payers from the same books (the best possible forecaster), the customer's own history, and the due date.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context

import numpy as np
from machine import publish, table

from duecourse.ledger.as_of import View
from duecourse.science.simulate import Simulated, load_world, simulate, true_cdf
from duecourse.science.timing import baselines
from duecourse.science.timing.backtest import BacktestPlan, rolling_backtest
from duecourse.science.timing.case_sets import CaseSet, Outcomes, new_set, open_set
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.events import disputed_cdf
from duecourse.science.timing.facts import facts_from_view
from duecourse.science.timing.measures import Curves, Measures, Predicted, measure
from duecourse.science.timing.model import TimingModel, fit
from duecourse.science.timing.promises import promised_cdf

SNAPSHOT = date(2026, 6, 1)
HORIZON = 120
CURVE_DAYS = 178
MONTHS = 24
CUSTOMERS = 600
NULL_CUSTOMERS, NULL_SEEDS = 150, 4
PROCESSES = 2  # companies side by side, one thread each
METHODS = ("oracle_payers", "oracle_books", "shown", "model", "customer_history", "customer_empirical", "due_date")
NAMES = {
    "oracle_payers": "oracle, payers known",
    "oracle_books": "oracle, from the books",
    "shown": "**model, as `score` shows it** (with disputes and promises)",
    "model": "model before disputes and promises",
    "customer_history": "customer's history, unpaid counted (the rung below the model)",
    "customer_empirical": "customer's own payments",
    "due_date": "due date",
}


@dataclass(frozen=True)
class Plan:
    """How much of one world is run: seeds for the model, and how many of them also for the slow oracle."""

    world: str
    seeds: int
    oracle_seeds: int
    customers: int = CUSTOMERS


def main() -> None:
    """Run all worlds and publish the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", type=int, default=20, help="companies of world base")
    arguments = parser.parse_args()
    quick = arguments.quick
    plans = [Plan("base", arguments.seeds, min(4, arguments.seeds)), Plan("healthy", 4, 2)]
    if quick:
        plans = [Plan("base", 2, 1, 300)]
    parts: list[str] = []
    for plan in plans:
        started = time.perf_counter()
        results = run_world(plan)
        parts += report(plan, results, time.perf_counter() - started)
    if quick:
        print("\n\n".join(parts))
        return
    parts.append(null_world())
    publish("simulated", "Simulated truth: the model against the oracle", [ABOUT, *parts])


ABOUT = f"""Simulated companies ({CUSTOMERS:,} customers, {MONTHS} months; worlds in `science/simulate/worlds`),
snapshot {SNAPSHOT}, horizon {HORIZON} days. The model is the product's: three boosters.
CRPS in days, lower is better; means over seeds.
"Oracle, from the books" knows the world's parameters and infers each payer from the same history by exact Bayesian
filtering: the best possible forecaster, but for two clues that tell very little (see `science/simulate/oracle.py`).
Goals: model CRPS at most 5 % (floor 8 %) above it; D-calibration p > .01 in 19 of 20 seeds (floor 17); P10-P90 cover
.78-.82 (floor .76-.84; whole days with atoms: above .80 is normal). It is our own truth: it ranks methods and finds
bugs and is no forecast of anybody's gain."""


def run_world(plan: Plan) -> dict[str, dict[str, list[Measures]]]:
    """Set name -> method -> one ``Measures`` per seed (fewer for the slow oracle)."""
    results: dict[str, dict[str, list[Measures]]] = {"new": defaultdict(list), "open": defaultdict(list)}
    seeds = range(1, plan.seeds + 1)
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:  # Polars must not be forked
        for company in pool.map(run_seed, [plan] * plan.seeds, seeds):
            for name, method, figures in company:
                results[name][method].append(figures)
    return results


def run_seed(plan: Plan, seed: int) -> list[tuple[str, str, Measures]]:
    """(set, method, measures) of one company."""
    started = time.perf_counter()
    simulated = simulate(load_world(plan.world), customers=plan.customers, months=MONTHS, seed=seed)
    found = [
        (case_set.name, method, figures)
        for case_set, predicted in predictions(simulated, seed, slow_oracle=seed <= plan.oracle_seeds)
        for method, forecast in predicted.items()
        if (figures := measure(case_set.cases, forecast, HORIZON, cash=case_set.name == "open")) is not None
    ]
    said = ", ".join(f"{method} {figures.crps:.3f}" for name, method, figures in found if name == "open")
    print(f"{plan.world} seed {seed}: open CRPS {said} ({time.perf_counter() - started:.0f} s)", flush=True)
    return found


def predictions(simulated: Simulated, seed: int, *, slow_oracle: bool) -> list[tuple[CaseSet, dict[str, Predicted]]]:
    """Both sets of the snapshot with the forecast of every method."""
    view = simulated.ledger.as_of(SNAPSHOT)
    facts = facts_from_view(view)
    outcomes = Outcomes.of(simulated.ledger, simulated.truth.company.world.ends_on)
    model = fit(view, seed=0, threads=1)
    pairs = []
    for one in (
        new_set(SNAPSHOT, outcomes, seed=seed, horizon=HORIZON, new_days=30),
        open_set(view, facts, outcomes, seed=seed, horizon=HORIZON),
    ):
        ids = one.facts.invoice_id[one.landmarks.invoice].tolist()
        day = one.landmarks.day
        curves = model.cdf(one.facts, one.landmarks, CURVE_DAYS)
        disputed = disputed_cdf(one.facts, one.landmarks, curves)
        predicted: dict[str, Predicted] = {
            "oracle_payers": Curves(true_cdf(simulated.truth, ids, day, knows="all", horizon=CURVE_DAYS)),
            "model": Curves(curves),
            "shown": Curves(promised_cdf(one.view, one.facts, one.landmarks, disputed)),
            "customer_history": baselines.customer_history(CURVE_DAYS)(one),
            "customer_empirical": baselines.customer_empirical(CURVE_DAYS)(one),
            "due_date": baselines.due_date(one),
        }
        if slow_oracle:
            books = true_cdf(simulated.truth, ids, day, knows="observables", horizon=CURVE_DAYS)
            predicted["oracle_books"] = Curves(books)
        pairs.append((one, predicted))
    return pairs


def report(plan: Plan, results: dict[str, dict[str, list[Measures]]], seconds: float) -> list[str]:
    """The section of one world: one table per set and what the goals say."""
    parts = [f"## World `{plan.world}`: {plan.seeds} seeds ({seconds:,.0f} s)"]
    for name, title in (("new", "New invoices (30 days from the snapshot)"), ("open", "Open book at the snapshot")):
        by_method = results[name]
        cases = sum(one.n for one in by_method["model"])
        rows = [_row(by_method, method) for method in METHODS if by_method.get(method)]
        header = (
            "forecast", "CRPS", "CRPS / oracle from the books, same seeds", "MAE", "PIT < .1, > .9", "P10-P90 cover",
            "D-calibration p > .01", "cash error 7 / 14 / 30 days",
        )  # fmt: skip
        parts.append(f"{title}, {cases:,} cases.")
        parts.append(table(header, rows))
    return parts


def _row(by_method: dict[str, list[Measures]], method: str) -> list[str]:
    figures = by_method[method]
    oracle = by_method.get("oracle_books", [])
    ratio = "-"
    if oracle:
        same = figures[: len(oracle)]
        ratio = f"{_mean([one.crps for one in same]) / _mean([one.crps for one in oracle]):.3f} ({len(oracle)} seeds)"
    uniform = [one.uniformity for one in figures if one.uniformity is not None]
    calibrated = sum(one.d_calibration_p > 0.01 for one in uniform)
    tails = (
        f"{_mean([u.below_10 for u in uniform]):.3f}, {_mean([u.above_90 for u in uniform]):.3f}" if uniform else "-"
    )
    cover = [one.coverage for one in figures if one.coverage is not None]
    cash = [
        f"{100 * _mean([one.cash_error[days] for one in figures]):.1f}"
        for days in ("7", "14", "30")
        if days in figures[0].cash_error
    ]
    return [
        NAMES[method],
        f"{_mean([one.crps for one in figures]):.3f}",
        ratio,
        f"{_mean([one.mae for one in figures]):.2f}",
        tails,
        f"{_mean(cover):.3f}" if cover else "-",
        f"{calibrated} of {len(uniform)}" if uniform else "-",
        " / ".join(cash) + " %" if cash else "-",
    ]


def _mean(values: list[float | None]) -> float:
    return float(np.mean([value for value in values if value is not None]))


def null_world() -> str:
    """What the gate says where there is nothing to learn."""
    seeds = range(1, NULL_SEEDS + 1)
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        rows = list(pool.map(null_seed, seeds))
    return "## World `null`: nothing to learn\n\n" + table(("seed", "verdict", "conditions that fail"), rows)


def null_seed(seed: int) -> list[str]:
    """Seed, verdict and failing conditions of one company without any habit to learn."""
    simulated = simulate(load_world("null"), customers=NULL_CUSTOMERS, months=MONTHS, seed=seed)
    how = BacktestPlan(threads=1, fit=single_booster)
    backtested = rolling_backtest(simulated.ledger, simulated.truth.company.world.ends_on, plan=how)
    if backtested is None:
        return [str(seed), "no verdict: too few mature months", ""]
    failed = [
        f"{verdict.set}: {check.name} ({check.because})"
        for verdict in backtested.gate.verdicts.values()
        for check in verdict.checks
        if not check.holds
    ]
    word = "use the model" if backtested.gate.allowed else "use the baseline"
    return [str(seed), word, "; ".join(failed) or "all conditions hold"]


def single_booster(view: View) -> TimingModel:
    """The model as the gate refits it: one booster, one thread."""
    return fit(view, seed=0, threads=1, config=TimingConfig(bags=1))


if __name__ == "__main__":
    main()
