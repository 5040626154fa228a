"""From the pieces of ``learned.py`` to ``results/learned.md``: goals and floors, then every policy of every world.

Gains are net value over the ladder in % of its overdue balance, by the week in which invoices fell due, paired by seed.
A share is the ratio of two mean gains, policy over belief oracle; its standard error is a jackknife over the seeds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from machine import RESULTS, table
from scipy.stats import t as student

Floats = npt.NDArray[np.float64]
Record = Mapping[str, Mapping[str, object]]
EDGES = (0, 13, 26, 39, 52, 78, 104)
WINDOWS = {"small": (26, 78), "drift": (78, 104)}  # weeks that are judged; elsewhere from week 13 to the end
EARLY = (0, 13)
ORACLE, LADDER, LEARNED, OFFERS = "belief oracle", "ladder", "learned", "learned with offers"
ORDER = ("clairvoyant", ORACLE, LEARNED, OFFERS, "greedy", "learned without prior", "value at stake", LADDER, "random",
         "weekly blast", "no contact")  # fmt: skip
ABOUT = """Simulated companies: the table ranks methods and promises no gain to anybody. All policies meet the same
random numbers; gains are net value (discounted cash and what is left after 26 weeks, less cost and relationship price)
over the ladder, in % of the ladder's overdue balance, by the week in which invoices fell due. In brackets the paired
standard error over seeds, of a share a jackknife. Share: mean gain over the belief oracle's mean gain. Contacts
(messages, documents and calls) and minutes of calls are counted in the weeks in which they were made."""


@dataclass(frozen=True)
class World:
    """All runs of one world: figures by seed and policy; ``weeks`` of arrivals."""

    name: str
    weeks: int
    seeds: Mapping[int, Record]

    @property
    def window(self) -> tuple[int, int]:
        """The weeks that are judged."""
        since, until = WINDOWS.get(self.name, (13, self.weeks))
        return (since, until) if until <= self.weeks else (13, self.weeks)

    def with_policy(self, policy: str) -> list[int]:
        """The seeds on which ``policy`` was run beside ladder and oracle."""
        return [seed for seed, record in sorted(self.seeds.items()) if {policy, LADDER, ORACLE} <= record.keys()]

    def sums(self, seeds: Sequence[int], policy: str, what: str, span: tuple[int, int]) -> Floats:
        """(seeds,) sum of a figure over the weeks of ``span``."""
        edges = [week for week in EDGES if week < self.weeks] + [self.weeks]
        since, until = edges.index(span[0]), edges.index(span[1])
        return np.array([np.sum(self.seeds[seed][policy][what][since:until]) for seed in seeds])  # type: ignore[index]

    def gains(self, seeds: Sequence[int], policy: str, span: tuple[int, int], *, what: str = "net",
              over: str = LADDER) -> Floats:  # fmt: skip
        """(seeds,) gain of ``policy`` over another one, % of the ladder's overdue balance."""
        change = self.sums(seeds, policy, what, span) - self.sums(seeds, over, what, span)
        return 100 * change / self.sums(seeds, LADDER, "balance", span)

    def ratio(self, policy: str, what: Sequence[str], span: tuple[int, int]) -> float:
        """Sum of counts of ``policy`` over that of the ladder."""
        seeds = self.with_policy(policy)
        own, other = (sum(self.sums(seeds, who, each, span).sum() for each in what) for who in (policy, LADDER))
        return float(own / other)

    def told(self, what: str, key: str) -> Floats:
        """(seeds,) what the learner wrote down under this key."""
        return np.array([self.seeds[seed][LEARNED][what][key] for seed in self.with_policy(LEARNED)])  # type: ignore[index]


def publish_parts(folder: Path, code: str, *, publishing: bool) -> None:
    """Make the table from the pieces in ``folder``; print it, and write it to the results when ``publishing``."""
    worlds, origins = read(folder)
    codes = sorted({record["code"] for part in origins for record in part["seeds"].values()})
    own = "the present code" if codes == [code] else f"code {', '.join(codes)} (present: {code})"
    machines = sorted({part["machine"] for part in origins})
    priors = ", ".join(sorted({part["prior"] for part in origins}))
    lines = ["# The learned policy in living worlds", "; ".join(machines), ABOUT, f"Prior {priors}; run with {own}.",
             "## Goals and floors", table(GOAL_HEADS, goals(worlds)), REMARKS]  # fmt: skip
    for world in worlds.values():
        lines += section(world)
    text = "\n\n".join(lines) + "\n"
    if publishing:
        (RESULTS / "learned.md").write_text(text, encoding="utf-8")
    print(text)


def read(folder: Path) -> tuple[dict[str, World], list[dict[str, object]]]:
    """The worlds in the order of their names' first pieces, and the pieces as they are."""
    parts = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]
    if not parts:
        raise SystemExit(f"{folder} holds no pieces: run benchmarks/learned.py first")
    found: dict[str, World] = {}
    for part in parts:
        name, weeks = part["world"], part["weeks"]
        known = found.get(name, World(name, weeks, {}))
        if known.weeks != weeks:
            raise SystemExit(f"{folder}: pieces of world {name} hold {known.weeks} and {weeks} weeks; keep one kind")
        seeds = dict(known.seeds)
        for seed, record in part["seeds"].items():
            seeds[int(seed)] = {**seeds.get(int(seed), {}), **record["policies"]}
        found[name] = World(name, weeks, seeds)
    order = ("base", "healthy", "small", "large", "null", "harm", "drift", "waiting")
    return {name: found[name] for name in sorted(found, key=lambda name: (*order, name).index(name))}, parts


def share(gain: Floats, oracle: Floats) -> tuple[float, float]:
    """Ratio of the means in %, and its standard error by leaving out one seed at a time."""
    ratio, number = 100 * gain.mean() / oracle.mean(), gain.size
    if number < 2:
        return float(ratio), float("nan")
    without = 100 * (gain.sum() - gain) / (oracle.sum() - oracle)
    return float(ratio), float(np.sqrt((number - 1) / number * ((without - without.mean()) ** 2).sum()))


def error(values: Floats) -> float:
    """Standard error of the mean."""
    return float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else float("nan")


def lower_bound(values: Floats) -> float:
    """Lower end of the 95 % interval of the mean."""
    return float(values.mean() - student.ppf(0.975, max(values.size - 1, 1)) * error(values))


def section(world: World) -> list[str]:
    """The table of one world."""
    since, until = world.window
    rows = []
    for policy in ORDER:
        seeds = world.with_policy(policy)
        if policy == LADDER or not seeds:
            continue
        early, late = world.gains(seeds, policy, EARLY), world.gains(seeds, policy, world.window)
        oracle = world.gains(seeds, ORACLE, world.window)
        part = "-" if world.name == "null" else "{:.0f} % ({:.0f})".format(*share(late, oracle))
        cash = world.gains(seeds, policy, world.window, what="cash")
        seconds = np.mean([world.seeds[seed][policy]["seconds"] for seed in seeds])  # type: ignore[type-var]
        rows.append([
            policy, str(len(seeds)), f"{early.mean():+.2f} ({error(early):.2f})",
            f"{late.mean():+.2f} ({error(late):.2f})", part, f"{cash.mean():+.2f} ({error(cash):.2f})",
            f"{world.ratio(policy, ('messages', 'calls'), world.window):.2f}",
            f"{world.ratio(policy, ('call_minutes',), world.window):.2f}", f"{seconds:.0f} s",
        ])  # fmt: skip
    heads = ("policy", "seeds", "gain, weeks 0-13", f"gain, weeks {since}-{until}", "share of the oracle's gain",
             "cash, % of balance", "contacts / ladder", "call minutes / ladder", "a run")  # fmt: skip
    numbers = sorted(world.seeds)
    title = f"## World `{world.name}`: {len(numbers)} seeds from {numbers[0]} to {numbers[-1]}, {world.weeks} weeks"
    return [title, table(heads, rows)]


GOAL_HEADS = ("#", "measure", "goal", "floor", "reached", "seeds", "verdict")
REMARKS = """Rows 9 to 12 are measured elsewhere (`plan.md`, `evaluate.md`, tests). A verdict is of the mean as
measured; read its standard error beside it. Lower bound: of the two-sided 95 % interval, paired by seed. Row 5b asks
for equal minutes: up to 5 % more counts as equal, fewer are not held against the learner, and are shown."""


@dataclass(frozen=True)
class Bar:
    """One measure: what was reached, and whether goal and floor hold."""

    number: str
    what: str
    goal: str
    floor: str
    reached: str
    seeds: int
    at_goal: bool
    at_floor: bool

    def row(self) -> list[str]:
        """A line of the table."""
        verdict = "goal met" if self.at_goal and self.at_floor else "floor met" if self.at_floor else "**floor missed**"
        return [self.number, self.what, self.goal, self.floor, self.reached, str(self.seeds), verdict]


def goals(worlds: Mapping[str, World]) -> list[list[str]]:
    """A line per measure of the acceptance list; worlds without runs are said."""
    makers = {"null": null_bars, "harm": harm_bars, "base": base_bars, "healthy": healthy_bars, "small": small_bars,
              "large": large_bars, "waiting": waiting_bars, "drift": drift_bars}  # fmt: skip
    rows = []
    for name, make in makers.items():
        if name in worlds and worlds[name].with_policy(LEARNED):
            rows += [bar.row() for bar in make(worlds[name])]
        else:
            rows.append(["-", f"`{name}`", "", "", "not run", "0", "-"])
    return rows


def null_bars(world: World) -> list[Bar]:
    """Rows 1 and 2: no effect is believed where there is none, and little is sent."""
    bars, count = [], len(world.with_policy(LEARNED))
    for week, goal, floor in ((13, 0.05, 0.10), (52, 0.03, 0.05)):
        if week <= world.weeks:
            effect = world.told("effect", str(week))
            bars.append(Bar(
                "1", f"`null`: mean estimated effect after {week} weeks, log-odds", f"< {goal:.2f}", f"< {floor:.2f}",
                f"{effect.mean():+.3f} ({error(effect):.3f})", count, abs(effect.mean()) < goal,
                abs(effect.mean()) < floor,
            ))  # fmt: skip
    if world.weeks > 26:
        sent = world.ratio(LEARNED, ("messages", "calls"), (26, world.weeks))
        bars.append(Bar("2", "`null`: weekly contacts against the ladder from week 26", "<= .8", "< 1.0", f"{sent:.2f}",
                        count, sent <= 0.8, sent < 1))  # fmt: skip
    return bars


def harm_bars(world: World) -> list[Bar]:
    """Row 3: the harmful tone is dropped."""
    firm, before = world.told("firm", "8-13"), world.told("firm", "0-4")
    late, falling = firm.mean(), bool(firm.mean() <= before.mean())
    return [Bar("3", "`harm`: harmful tone, share of invoice-weeks in weeks 8-13", "<= .03", "<= .06 and falling",
                f"{late:.3f} ({error(firm):.3f}), weeks 0-4: {before.mean():.3f}", firm.size, bool(late <= 0.03),
                bool(late <= 0.06) and falling)]  # fmt: skip


def _share_bar(number: str, world: World, goal: float, floor: float, *, positive: bool = False) -> Bar:
    """Share of the oracle's gain in the weeks judged; ``positive``: its lower bound must lie above 0 as well."""
    seeds = world.with_policy(LEARNED)
    gain, oracle = world.gains(seeds, LEARNED, world.window), world.gains(seeds, ORACLE, world.window)
    reached, spread = share(gain, oracle)
    low = lower_bound(gain)
    said = f"{reached:.0f} % ({spread:.0f}); gain {gain.mean():+.2f} ({error(gain):.2f})"
    said += f", lower bound {low:+.2f}" if positive else ""
    since, until = world.window
    return Bar(
        number, f"`{world.name}`: share of the oracle's gain, weeks {since}-{until}", f"{goal:.0f} %",
        f"{floor:.0f} %" + (", lower bound > 0" if positive else ""), said, len(seeds), reached >= goal,
        reached >= floor and (low > 0 or not positive),
    )  # fmt: skip


def _contacts_bar(number: str, world: World, goal: float, floor: float) -> Bar:
    sent = world.ratio(LEARNED, ("messages", "calls"), world.window)
    return Bar(number, f"`{world.name}`: contacts per account against the ladder", f"<= {goal:.1f}", f"<= {floor:.1f}",
               f"{sent:.2f}", len(world.with_policy(LEARNED)), sent <= goal, sent <= floor)  # fmt: skip


def base_bars(world: World) -> list[Bar]:
    """Rows 4 and 5."""
    minutes = world.ratio(LEARNED, ("call_minutes",), world.window)
    equal = minutes <= 1.05
    return [
        _share_bar("4", world, 60, 45, positive=True), _contacts_bar("5a", world, 1.0, 1.1),
        Bar("5b", "`base`: minutes of calls against the ladder", "equal", "equal", f"{minutes:.2f}",
            len(world.with_policy(LEARNED)), equal, equal),
    ]  # fmt: skip


def healthy_bars(world: World) -> list[Bar]:
    """Row 6."""
    return [_share_bar("6a", world, 60, 35, positive=True), _contacts_bar("6b", world, 0.6, 0.9)]


def small_bars(world: World) -> list[Bar]:
    """Row 7: no harm at the start, and something learnt later."""
    early = world.gains(world.with_policy(LEARNED), LEARNED, EARLY)
    first = Bar("7a", "`small`: gain in weeks 0-13, % of balance", ">= 0", ">= -.2",
                f"{early.mean():+.2f} ({error(early):.2f})", early.size, bool(early.mean() >= 0),
                bool(early.mean() >= -0.2))  # fmt: skip
    return [first, *([_share_bar("7b", world, 45, 35)] if world.weeks >= 78 else [])]


def large_bars(world: World) -> list[Bar]:
    """Row 8."""
    return [_share_bar("8", world, 75, 60)]


def waiting_bars(world: World) -> list[Bar]:
    """Row 13: what offers add where customers learn to wait for them."""
    seeds = world.with_policy(OFFERS)
    if not seeds:
        return []
    gain = world.gains(seeds, OFFERS, (0, world.weeks), over=LEARNED)
    return [Bar("13a", f"`waiting`: net gain of offers, weeks 0-{world.weeks}, % of balance", "> 0", ">= -.1",
                f"{gain.mean():+.3f} ({error(gain):.3f})", gain.size, bool(gain.mean() > 0),
                bool(gain.mean() >= -0.1))]  # fmt: skip


def drift_bars(world: World) -> list[Bar]:
    """Row 13: the learner follows a break."""
    return [_share_bar("13b", world, 35, 20)] if world.weeks >= 104 else []
