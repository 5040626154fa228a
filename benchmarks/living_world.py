"""The living world against its own calibration: what is attainable, whether pairing works, and whether traps bite.

    python benchmarks/living_world.py             # as published: about six minutes on 2 cores
    python benchmarks/living_world.py --quick     # two seeds, nothing written

Policies that contact nobody, the ladder, simple rules and two oracles are run on the same random numbers. Nothing here
is learnt from a log of the world; the oracles know its form and parameters.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
from living_traps import age_trap, confounding, effect_recovery, replays
from machine import publish, table

from duecourse.science.simulate.living import LivingWorld, Outcome, Policy, load_living
from duecourse.science.simulate.living.oracles import BeliefOracle, Clairvoyant, Paying, fit_paying
from duecourse.science.simulate.living.policies.ladder import ladder
from duecourse.science.simulate.living.policies.simple import RandomLog, blast, none, value_at_stake
from duecourse.science.simulate.living.portrait import portrait

WEEKS = 52
ORDER = ("clairvoyant", "belief oracle", "value at stake", "ladder", "random", "weekly blast", "no contact")
GOALS = {  # world -> gain that is to be seen: (what, goal, floor), % of overdue balance
    "base": (("ladder - no contact", 2.3, 1.0), ("belief oracle - ladder", 1.8, 0.8)),
    "healthy": (("ladder - no contact", 0.5, 0.2), ("belief oracle - ladder", 0.5, 0.2)),
}
BANDS = {
    "late": (0.45, 0.55), "late 30": (0.12, 0.22), "late 60": (0.05, 0.12), "late 90": (0.03, 0.08),
    "lost": (0.005, 0.02), "mean days late": (9, 18), "median days of the late": (12, 25),
    "paid in the end, 0 days": (0.90, 0.97), "paid in the end, 91 days": (0.60, 0.80),
    "paid in the end, 182 days": (0.35, 0.55), "paid in the end, 365 days": (0.15, 0.35), "icc": (0.2, 0.4),
    "month-end week / mean week": (1.2, 1.8), "cleared on a weekend": (0, 0.01), "cleared with another": (0.5, 0.8),
    "remittances of one": (0.55, 0.75), "disputed": (0.04, 0.10), "late if disputed, more": (0.3, 0.5),
    "promises kept": (0.55, 0.75), "calls reached": (0.35, 0.5), "replies per mail": (0.08, 0.25),
    "opt-outs per mail": (0.0005, 0.003),
}  # fmt: skip


def main() -> None:
    """Run everything and publish the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    seeds = 2 if arguments.quick else arguments.seeds
    parts = [ABOUT]
    for name in ("base", "healthy"):
        parts += oracle_ladder(name, seeds, arguments.processes)
    parts += [nothing_to_gain(seeds), bands(seeds), replays(quick=arguments.quick)]
    parts += [effect_recovery(quick=arguments.quick), confounding(seeds), age_trap(quick=arguments.quick), speed()]
    if arguments.quick:
        print("\n\n".join(parts))
        return
    publish("world", "The living world: what is attainable and whether its traps bite", parts)


ABOUT = f"""Simulated companies (`science/simulate/living/worlds`), 52 weeks of human history, then {WEEKS} weeks of
arrivals under each policy, every arrival followed for 26 weeks after its due date. Gains are net value (discounted cash
and terminal value, less cost and relationship price) in % of the overdue balance, on the same random numbers, with the
paired standard error over seeds in brackets. It is our own truth, full of assumptions: it ranks methods and finds bugs
and is no forecast of anybody's gain."""


def oracle_ladder(name: str, seeds: int, processes: int) -> list[str]:
    """The section of one world: all policies, the goals, the order, and what pairing is worth."""
    started = time.perf_counter()
    spec = load_living(name)
    paying = fit_paying(spec)
    fitted = time.perf_counter() - started
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        runs = list(pool.map(run_seed, [name] * seeds, range(1, seeds + 1), [paying] * seeds))
    took = time.perf_counter() - started
    nets = {policy: np.array([run[policy].net() for run in runs]) for policy in ORDER}
    scale = 100 / np.array([run["ladder"].total("balance") for run in runs])
    rows = [_policy_row(policy, runs, nets, scale) for policy in ORDER]
    header = ("policy", "gain over the ladder, %", "net value, %", "paid in 4 weeks", "mails and calls per invoice",
              "lost, %", "relationship price, %", "complaints, opt-outs", "paired sd; unpaired / paired")  # fmt: skip
    return [
        f"## World `{name}`: {seeds} seeds ({took:,.0f} s, of which the oracle's fit {fitted:.0f} s)",
        table(header, rows),
        table(("to be seen", "measured, %", "in s.e.", "goal", "floor"), _goals(name, nets, scale)),
        "Goals: unpaired / paired standard deviation at least 3 (floor 2.5); every step of the order clairvoyant, "
        "belief oracle, ladder, (no contact, blast) at least 4 s.e. (floor 2).",
    ]


def policies(name: str, paying: Paying) -> dict[str, Policy]:
    """All built-in policies for a world."""
    spec = load_living(name)
    return {
        "clairvoyant": Clairvoyant(spec, paying), "belief oracle": BeliefOracle(spec, paying),
        "value at stake": value_at_stake, "ladder": ladder, "random": RandomLog(), "weekly blast": blast,
        "no contact": none,
    }  # fmt: skip


def run_seed(name: str, seed: int, paying: Paying) -> dict[str, Outcome]:
    """Outcome of every policy on one seed."""
    world = LivingWorld(load_living(name), seed, WEEKS)
    return {policy: world.run(decide) for policy, decide in policies(name, paying).items()}


def _policy_row(
    policy: str, runs: list[dict[str, Outcome]], nets: Mapping[str, np.ndarray], scale: np.ndarray
) -> list[str]:
    own = [run[policy] for run in runs]
    gains = scale * (nets[policy] - nets["ladder"])
    invoices = np.mean([one.total("invoices") for one in own])

    def share(figure: str) -> float:
        return float(np.mean([100 * one.total(figure) / one.total("balance") for one in own]))

    pairing = "-"
    if policy != "ladder":
        unpaired = np.hypot(_net_sd(own), _net_sd([run["ladder"] for run in runs]))
        pairing = f"{gains.std(ddof=1):.2f}; {unpaired / gains.std(ddof=1):.1f}"
    return [
        policy,
        "-" if policy == "ladder" else f"{gains.mean():+.2f} ({_error(gains):.2f})",
        f"{np.mean([one.net_share() for one in own]):.1f}",
        f"{np.mean([one.total('paid_4_weeks') / one.total('invoices') for one in own]):.3f}",
        f"{np.mean([one.total('mails') for one in own]) / invoices:.2f}, "
        f"{np.mean([one.total('calls') for one in own]) / invoices:.3f}",
        f"{share('written_off'):.1f}",
        f"{share('relationship'):.2f}",
        f"{np.mean([one.complaints for one in own]):.0f}, {np.mean([one.opt_outs for one in own]):.0f}",
        pairing,
    ]


def _net_sd(outcomes: list[Outcome]) -> float:
    return float(np.std([one.net_share() for one in outcomes], ddof=1))


def _error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(values.size))


def _goals(name: str, nets: Mapping[str, np.ndarray], scale: np.ndarray) -> list[list[str]]:
    wanted = {what: (goal, floor) for what, goal, floor in GOALS[name]}
    rows = []
    for better, worse in (
        ("clairvoyant", "belief oracle"), ("belief oracle", "ladder"), ("ladder", "no contact"),
        ("ladder", "weekly blast"),
    ):  # fmt: skip
        gains = scale * (nets[better] - nets[worse])
        goal, floor = wanted.get(f"{better} - {worse}", (None, None))
        rows.append([
            f"{better} - {worse}", f"{gains.mean():+.2f} ({_error(gains):.2f})", f"{gains.mean() / _error(gains):.1f}",
            "-" if goal is None else f"{goal:.1f}", "-" if floor is None else f"> {floor:.1f}",
        ])  # fmt: skip
    return rows


def nothing_to_gain(seeds: int) -> str:
    """The world in which contacts do nothing: every policy loses its price, and no more."""
    rows = []
    for policy in (ladder, blast, value_at_stake, RandomLog()):
        lost = []
        for seed in range(1, seeds + 1):
            world = LivingWorld(load_living("null"), seed, WEEKS)
            left, other = world.run(none), world.run(policy)
            scale = 100 / left.total("balance")
            price = other.total("cost") + other.total("relationship") - left.total("cost") - left.total("relationship")
            lost.append((scale * (other.net() - left.net()), -scale * price))
        pairs = np.array(lost)
        rest = pairs[:, 0] - pairs[:, 1]
        name = getattr(policy, "__name__", "random").replace("_", " ")
        rows.append([name, f"{pairs[:, 0].mean():+.2f}", f"{pairs[:, 1].mean():+.2f}",
                     f"{rest.mean():+.3f} ({_error(rest):.3f})"])  # fmt: skip
    return "\n\n".join([
        "## World `null`: nothing to gain",
        table(("policy", "gain over no contact, %", "minus its price, %", "rest (goal: within 2 s.e. of 0)"), rows),
        "The rest is 0 to the cent: a contact has no other way to money than its effect (also a test).",
    ])  # fmt: skip


def bands(seeds: int) -> str:
    """The calibration of `healthy` under the ladder, and the bad debt of `stress`."""
    found = [portrait(LivingWorld(load_living("healthy"), seed, WEEKS).lived(ladder)) for seed in range(1, seeds + 1)]
    rows = []
    for measure, (low, high) in BANDS.items():
        values = np.array([one[measure] for one in found])
        inside = low <= values.mean() <= high
        rows.append([measure, f"{values.mean():.3f}", f"{values.min():.3f} .. {values.max():.3f}", f"{low} .. {high}",
                     "yes" if inside else "**no**"])  # fmt: skip
    stress = [portrait(LivingWorld(load_living("stress"), seed, WEEKS).lived(ladder)) for seed in range(1, seeds + 1)]
    lost = np.array([one["lost"] for one in stress])
    rows.append(["lost, world `stress`", f"{lost.mean():.3f}", f"{lost.min():.3f} .. {lost.max():.3f}", "0.06 .. 0.08",
                 "yes" if 0.06 <= lost.mean() <= 0.08 else "**no**"])  # fmt: skip
    return "## Calibration of `healthy` under the ladder\n\n" + table(
        ("measure", f"mean of {seeds} seeds", "range", "band", "inside"), rows
    )


def speed() -> str:
    """Seconds for one run of base, and for one large one."""
    rows = []
    for label, spec, goal in (
        ("base, 2,000 customers", load_living("base"), "5 (floor 10)"),
        ("10,000 customers", replace(load_living("large"), name="large"), "-"),
    ):
        started = time.perf_counter()
        world = LivingWorld(spec, 1, WEEKS)
        world.stepper()
        ready = time.perf_counter()
        world.run(ladder)
        rows.append([label, f"{ready - started:.1f}", f"{time.perf_counter() - ready:.1f}", goal])
    return "## Speed, one core\n\n" + table(
        ("world", "payers and 52 weeks of history, s", f"ladder, {WEEKS} + 26 weeks, s", "goal, s"), rows
    )


if __name__ == "__main__":
    main()
