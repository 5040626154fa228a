"""The learned policy in living worlds, on the same random numbers as the ladder, value at stake and the oracles.

    python benchmarks/learned.py [--worlds base,healthy] [--seeds 101,102] [--weeks 52] [--learners prior,cold]

Gains are net value in % of the overdue balance over the ladder, by cohorts, paired by seed; the share is the ratio of
the mean gains (policy over belief oracle). The method was developed on other seeds. Simulated, no forecast of a gain.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace

import numpy as np
from learned_glue import Learner
from machine import publish, table

from duecourse.science.decisions.learned import Settings
from duecourse.science.decisions.learned.prior import cold_prior
from duecourse.science.simulate.living import LivingWorld, Outcome, Policy, load_living
from duecourse.science.simulate.living.oracles.deciding import BeliefOracle
from duecourse.science.simulate.living.oracles.paying import fit_paying
from duecourse.science.simulate.living.policies.ladder import ladder
from duecourse.science.simulate.living.policies.simple import none, value_at_stake

EARLY = 13
DEFAULT_WORLDS, DEFAULT_SEEDS, DEFAULT_WEEKS = "base,healthy,null,harm,small", "101,102,103,104", 39
FIRM = 3


class Watched:
    """A learner whose firm mails and estimates are written down each week."""

    def __init__(self, settings: Settings) -> None:
        self.learner, self.firm, self.effect = Learner(settings), list[float](), list[float]()

    def begin(self, house: object) -> None:
        """A new run."""
        self.learner.begin(house)
        self.firm, self.effect = [], []

    def __call__(self, seen, capacity, seed):  # noqa: ANN001, ANN204 - as the policies of the worlds
        """The learner's decisions."""
        decided = self.learner(seen, capacity, seed)
        asked = np.isin(seen.point, decided.point[decided.arm == FIRM]) & (seen.collectible_minor > 0)
        listed = (seen.collectible_minor > 0) & (seen.due < seen.as_of)
        self.firm.append(float((asked & listed).sum()) / max(int(listed.sum()), 1))
        known = self.learner.policy.knowledge
        assert known is not None
        self.effect.append(float(known.posterior.mode[known.columns.mu].mean()))
        return decided


def gain(outcome: Outcome, base: Outcome, since: int, until: int | None) -> float:
    """Net value over ``base`` in % of its overdue balance."""
    balance = base.total("balance", since=since, until=until)
    return 100 * (outcome.net(since=since, until=until) - base.net(since=since, until=until)) / balance


def world_rows(name: str, seeds: list[int], weeks: int, learners: dict[str, Settings]) -> list[list[str]]:
    """One row per policy: gains with paired standard errors, share, contacts, and what the learner believed."""
    spec = load_living(name)
    policies: dict[str, Policy] = {"no contact": none, "value at stake": value_at_stake}
    policies["belief oracle"] = BeliefOracle(spec, fit_paying(spec))
    policies |= {label: Watched(settings) for label, settings in learners.items()}
    found: dict[str, list[list[float]]] = {label: [] for label in policies}
    firm: dict[str, list[list[float]]] = {label: [] for label in learners}
    effect: dict[str, list[list[float]]] = {label: [] for label in learners}
    for seed in seeds:
        world = LivingWorld(spec, seed, weeks)
        base = world.run(ladder)
        for label, policy in policies.items():
            began = time.process_time()
            outcome = world.run(policy)
            seconds = time.process_time() - began
            found[label].append([
                gain(outcome, base, 0, EARLY), gain(outcome, base, EARLY, None),
                outcome.total("mails", since=EARLY) / base.total("mails", since=EARLY),
                outcome.total("calls", since=EARLY) / base.total("calls", since=EARLY), seconds,
            ])  # fmt: skip
            if isinstance(policy, Watched):
                firm[label].append(policy.firm)
                effect[label].append(policy.effect)
    oracle = np.mean([row[1] for row in found["belief oracle"]])
    rows = []
    for label, figures in found.items():
        mean = np.mean(figures, axis=0)
        error = np.std(figures, axis=0, ddof=1) / np.sqrt(len(seeds)) if len(seeds) > 1 else mean * np.nan
        share = f"{100 * mean[1] / oracle:.0f} %" if abs(oracle) > 1e-9 and name != "null" else ""
        said = ""
        if label in learners:
            shares, means = np.mean(firm[label], axis=0), np.mean(effect[label], axis=0)
            said = f"{means[min(13, len(means)) - 1]:+.3f}, {means[min(52, len(means)) - 1]:+.3f}; "
            said += f"{100 * shares[:4].mean():.1f}, {100 * shares[8:13].mean():.1f} %"
        rows.append([name, label, f"{mean[0]:+.2f} ({error[0]:.2f})", f"{mean[1]:+.2f} ({error[1]:.2f})", share,
                     f"{mean[2]:.2f}, {mean[3]:.2f}", said, f"{mean[4]:.0f} s"])  # fmt: skip
        print(rows[-1], flush=True)
    return rows


def main() -> int:
    """Run the worlds asked for and publish the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", default=DEFAULT_WORLDS)
    parser.add_argument("--seeds", default=DEFAULT_SEEDS)
    parser.add_argument("--weeks", type=int, default=DEFAULT_WEEKS)
    parser.add_argument("--learners", default="prior")
    given = parser.parse_args()
    seeds = [int(seed) for seed in given.seeds.split(",")]
    start = Settings(instrument=False)  # the check is a matter of the command line; here it would double the time
    known = {"prior": ("learned", start), "cold": ("learned, cold prior", replace(start, learnt=None))}
    learners = dict(known[name] for name in given.learners.split(","))
    rows = [row for name in given.worlds.split(",") for row in world_rows(name, seeds, given.weeks, learners)]
    prior = start.learnt.prior_id if start.learnt is not None else cold_prior.__name__
    heads = ["world", "policy", f"weeks 0-{EARLY}: gain over the ladder, % of overdue balance (s.e.)",
             f"weeks {EARLY}-{given.weeks}", "share of the oracle's gain", "messages, calls against the ladder",
             "mean effect after 13 and 52 weeks; firm mails on invoice-weeks in weeks 0-4, 8-13", "time"]  # fmt: skip
    publish(
        "learned", "The learned policy in living worlds",
        [f"Simulated. Seeds {given.seeds}, {given.weeks} weeks of arrivals followed for 26 weeks. Prior: {prior}.",
         table(heads, rows)],
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
