"""The learned policy in living worlds, on the same random numbers as simple policies and oracles.

    python benchmarks/learned.py                                     # what is missing of PLAN, then the table
    python benchmarks/learned.py --worlds base --seeds 1001-1013     # a piece; pieces may run side by side
    python benchmarks/learned.py --table                             # results/learned.md from the pieces
    python benchmarks/learned.py --worlds base --seeds 11-12 --weeks 26 --out DIR    # an experiment of one's own

Every finished seed is written to ``results/learned/WORLD-FIRST-LAST.json`` at once; a run that was stopped goes on
where it was, ``--fresh`` begins anew. Seeds from 1001 on are for acceptance: nothing is developed on them. Simulated:
the table ranks methods and promises no gain to anybody.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from learned_glue import Learner
from learned_table import publish_parts
from machine import RESULTS, machine

from duecourse.core.ids import sha256_hex
from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.learned import Settings
from duecourse.science.decisions.learned.terms import Offer
from duecourse.science.simulate.living import House, LivingWorld, Outcome, Policy, load_living
from duecourse.science.simulate.living.oracles import BeliefOracle, Clairvoyant, Paying, fit_paying
from duecourse.science.simulate.living.outcome import settle
from duecourse.science.simulate.living.policies.ladder import ladder
from duecourse.science.simulate.living.policies.simple import RandomLog, blast, none, value_at_stake

PARTS = RESULTS / "learned"
PACKAGE = Path(__file__).parent.parent / "src/duecourse/science"
EDGES = (0, 13, 26, 39, 52, 78, 104)  # figures are kept as sums between these weeks
FIRST = 1001  # acceptance seeds start here


@dataclass(frozen=True)
class Planned:
    """``seeds`` of a world from ``FIRST`` on, ``weeks`` of arrivals; ``others``: seeds that also run other learners."""

    seeds: int
    weeks: int
    others: int


PLAN = {
    "base": Planned(25, 52, 8), "healthy": Planned(60, 52, 8), "null": Planned(10, 52, 4),
    "harm": Planned(10, 52, 4), "small": Planned(20, 104, 20), "large": Planned(4, 78, 0),
    "drift": Planned(12, 104, 0), "waiting": Planned(20, 52, 0),
}  # fmt: skip
START = Settings(instrument=False)  # the instrument check is a matter of the command line; here it doubles the time
LEARNERS = {
    "learned": START,
    "greedy": replace(START, temper=0.0, draws=1),  # the posterior mean and exploration, no draws
    "learned without prior": replace(START, learnt=None),
}


def known_policies(name: str, *, others: bool) -> dict[str, Callable[[], Policy]]:
    """How to make each policy that a world is run with, by its name in the table."""
    spec = load_living(name)
    policies: dict[str, Callable[[], Policy]] = {
        "ladder": lambda: ladder, "no contact": lambda: none, "value at stake": lambda: value_at_stake,
        "weekly blast": lambda: blast, "random": RandomLog,
        "belief oracle": lambda: BeliefOracle(spec, paying_of(name)),
        "clairvoyant": lambda: Clairvoyant(spec, paying_of(name)),
    }  # fmt: skip
    for label, settings in LEARNERS.items():
        if others or label == "learned":
            policies[label] = lambda settings=settings: Learner(settings)  # type: ignore[misc]
    if spec.terms.allowed:
        offer = Offer(100 * spec.terms.discount, spec.terms.taken)
        policies["learned with offers"] = lambda: Learner(replace(START, offer=offer))
    return policies


@cache
def paying_of(name: str) -> Paying:
    """What the oracles of a world know of its payers."""
    return fit_paying(load_living(name))


def run_policy(world: LivingWorld, policy: Policy) -> dict[str, object]:
    """What one policy brought between the ``EDGES``; money in major units."""
    began = time.process_time()
    house = world.lived(policy)
    seconds = time.process_time() - began
    outcome = settle(world.nature, house.state, world.weeks)
    edges = [week for week in EDGES if week < world.weeks] + [world.weeks]
    spans = list(pairwise(edges))
    found: dict[str, object] = {
        "net": [round(outcome.net(since=since, until=until), 1) for since, until in spans],
        **{what: [round(outcome.total(what, since=since, until=until), 1) for since, until in spans]
           for what in ("cash", "balance")},
        **contacts_between(house, outcome, edges), "seconds": round(seconds, 1),
    }  # fmt: skip
    if isinstance(policy, Learner):
        found["effect"] = {str(week): round(policy.effect[week], 4) for week in (13, 26, 52, 104)
                           if week <= world.weeks}  # fmt: skip
        found["firm"] = {f"{since}-{until}": round(float(np.mean(policy.firm[since:until])), 5)
                         for since, until in ((0, 4), (4, 8), (8, 13), (13, 26))}  # fmt: skip
    return found


def contacts_between(house: House, outcome: Outcome, edges: list[int]) -> dict[str, object]:
    """Messages and calls that left the house, and minutes of calls, by the week in which they were made."""
    log, (_, _, minutes) = house.state.contacts, house.nature.world.priced()
    week = (log.ints("day") + 3) // 7 - outcome.first_week
    arm = log.ints("arm")
    calls = np.isin(arm, [code for code, name in enumerate(ARMS) if name.startswith("call")])
    messages = ~calls & (arm != ARMS.index("route_dispute"))

    def between(kept: np.ndarray, weight: np.ndarray) -> list[float]:
        return [round(float(weight[kept & (week >= since) & (week < until)].sum()), 1)
                for since, until in pairwise(edges)]  # fmt: skip

    one = np.ones(arm.size)
    return {"messages": between(messages, one), "calls": between(calls, one),
            "call_minutes": between(calls, minutes[arm])}  # fmt: skip


def code_id() -> str:
    """Content of everything that a run depends on: learner, prior, ladder and worlds."""
    files = [path for folder in ("decisions", "simulate") for path in sorted((PACKAGE / folder).rglob("*"))
             if path.suffix in (".py", ".json", ".toml")]  # fmt: skip
    return sha256_hex(*(path.read_bytes() for path in files))[:12]


def run_piece(name: str, seeds: list[int], weeks: int, folder: Path, *, others: int, fresh: bool) -> None:
    """Run what is missing of these seeds of a world; the piece is written after every policy."""
    file = folder / f"{name}-{seeds[0]}-{seeds[-1]}.json"
    part = {"world": name, "weeks": weeks, "seeds": {}}
    if file.exists() and not fresh:
        part = json.loads(file.read_text(encoding="utf-8"))
        if part["weeks"] != weeks:
            raise SystemExit(f"{file} holds runs of {part['weeks']} weeks, not {weeks}: --fresh or another --out")
    prior = START.learnt.prior_id if START.learnt is not None else "cold"
    part |= {"machine": machine(), "prior": prior}
    code = code_id()
    elsewhere = {} if fresh else done_elsewhere(folder, file, name, weeks)
    for at, seed in enumerate(seeds):
        wanted = known_policies(name, others=at < others)
        if wanted.keys() <= elsewhere.get(seed, set()):
            continue
        record = part["seeds"].setdefault(str(seed), {"code": code, "policies": {}})
        world = LivingWorld(load_living(name), seed, weeks)
        for label, make in wanted.items():
            if label not in record["policies"]:
                record["policies"][label] = run_policy(world, make())
                record["code"] = code
                write(file, part)
        spent = sum(found["seconds"] for found in record["policies"].values())
        print(f"{name} {seed}: {spent:.0f} s", flush=True)


def done_elsewhere(folder: Path, own: Path, name: str, weeks: int) -> dict[int, set[str]]:
    """The policies that other pieces of this world hold, by seed."""
    found: dict[int, set[str]] = {}
    for file in sorted(folder.glob(f"{name}-*.json")):
        part = json.loads(file.read_text(encoding="utf-8"))
        if file != own and part["weeks"] == weeks:
            for seed, record in part["seeds"].items():
                found.setdefault(int(seed), set()).update(record["policies"])
    return found


def write(file: Path, part: dict[str, object]) -> None:
    """The piece, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".tmp")
    fresh.write_text(json.dumps(part, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")
    fresh.replace(file)


def seeds_of(text: str) -> list[int]:
    """``1001-1003,1010`` as numbers."""
    spans = [part.partition("-") for part in text.split(",")]
    return [seed for first, _, last in spans for seed in range(int(first), int(last or first) + 1)]


def main() -> int:
    """Run the worlds asked for, or what is missing of the plan, and make the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", default=",".join(PLAN))
    parser.add_argument("--seeds", default="", help="such as 1001-1025 (default: as planned)")
    parser.add_argument("--weeks", type=int, default=0, help="weeks of arrivals (default: as planned)")
    parser.add_argument("--others", type=int, default=-1, help="how many of the seeds also run the other learners")
    parser.add_argument("--out", type=Path, default=PARTS, help="where the pieces are kept")
    parser.add_argument("--fresh", action="store_true", help="forget earlier pieces of the same name")
    parser.add_argument("--table", action="store_true", help="only make the table from the pieces")
    given = parser.parse_args()
    if not given.table:
        for name in given.worlds.split(","):
            plan = PLAN.get(name, Planned(2, 26, 0))
            seeds = seeds_of(given.seeds) if given.seeds else list(range(FIRST, FIRST + plan.seeds))
            others = given.others if given.others >= 0 else plan.others if seeds[0] == FIRST else 0
            run_piece(name, seeds, given.weeks or plan.weeks, given.out, others=others, fresh=given.fresh)
    whole_plan = not given.seeds and given.worlds == ",".join(PLAN)
    if given.table or whole_plan:
        publish_parts(given.out, code_id(), publishing=given.out == PARTS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
