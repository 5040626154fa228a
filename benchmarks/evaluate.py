"""Would-it-have-been-better on known truths; writes results/evaluate.md.

    python benchmarks/evaluate.py                    # everything, about ten minutes on one core
    python benchmarks/evaluate.py --replications 60  # a quick look; nothing is written

Simulated logs whose policy learns, a world in which contacts matter, real randomised mails (Hillstrom) thinned to a
biased log with known propensities, two real bandit logs (Open Bandit), always-valid tests without an effect, and logs
that must be refused. IPS and naive means stand beside in the same run. The real sets are read from ../shared/data and
skipped loudly where absent.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from evaluate_living import living
from machine import publish, table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from duecourse.science.evaluate.always_valid import Groups, look  # noqa: E402
from duecourse.science.evaluate.intervals import Interval, clustered_interval  # noqa: E402
from duecourse.science.evaluate.logged import Logged  # noqa: E402
from duecourse.science.evaluate.off_policy import Comparison, compare, influence  # noqa: E402
from duecourse.science.evaluate.off_policy import support as support_of  # noqa: E402
from duecourse.science.evaluate.outcome_model import cross_fitted, pooled_ridge  # noqa: E402
from duecourse.science.evaluate.uplift_curves import uplift_curve  # noqa: E402
from duecourse.science.evaluate.verdict import judge  # noqa: E402
from support import randomised_sets  # noqa: E402
from support.logged_worlds import Shape, fixed_log, learning_world  # noqa: E402

FloatArray = npt.NDArray[np.float64]
METHODS = {
    "gain": "doubly robust", "sequence": "doubly robust, at every look", "exact": "betting", "ips": "IPS",
    "snips": "SNIPS", "switch": "SWITCH (20)", "naive": "naive mean of agreeing rows",
}  # fmt: skip
SHAPES = (
    Shape(decisions=5000, eps=0.05), Shape(decisions=5000, eps=0.1), Shape(decisions=5000, eps=0.3),
    Shape(decisions=20_000, eps=0.1),
)  # fmt: skip


@dataclass
class Tally:
    """Coverage, half-width, error and power of each method over replications, in the outcome's unit."""

    rows: dict[str, list[tuple[float, float, float, float]]]

    @classmethod
    def empty(cls) -> Tally:
        """No replication yet."""
        return cls({name: [] for name in METHODS})

    def add(self, found: Comparison, truth: float) -> None:
        """One replication."""
        named = {"gain": found.gain, "sequence": found.sequence, "exact": found.exact, **found.sensitivity}
        for name in METHODS:
            one: Interval = named[name]
            self.rows[name].append((one.holds(truth), one.half_width, one.estimate - truth, not one.holds(0.0)))

    def of(self, name: str) -> FloatArray:
        """(coverage, half-width, bias, power) of a method."""
        return np.array(self.rows[name], dtype=float).mean(axis=0)


def goal(value: float, good: bool, floor: bool) -> str:
    """The figure with what it means."""
    return f"{value:.3f} ({'goal met' if good else 'floor held, goal missed' if floor else 'FLOOR MISSED'})"


def simulated(replications: int) -> list[str]:
    """Coverage under logs that learn."""
    rows, heads = [], ("log", "method", "covers at 95 %", "half-width, points", "bias, points", "power")
    worst = []
    for shape in SHAPES:
        tally, support, answered = Tally.empty(), [], 0
        for seed in range(replications):
            logged, truth = learning_world(seed, shape)
            found = compare(logged, seed=seed)
            support.append((found.support.ess / found.support.n, found.support.overlap))
            if found.support.suffices:  # what is refused is not shown to anybody
                answered += 1
                tally.add(found, truth)
        ess, overlap = np.mean(support, axis=0)
        name = f"{shape.decisions:,}, eps {shape.eps:g} (ESS {ess:.0%} of n, overlap {overlap:.0%}, "
        name += f"answered {answered / replications:.0%})"
        for method, label in METHODS.items():
            cover, half, bias, power = tally.of(method)
            shown = f"{cover:.3f}"
            if method == "gain":
                worst.append(cover)
                shown = f"**{goal(cover, 0.94 <= cover <= 0.97, cover >= 0.93)}**"
            rows.append((name, label, shown, f"{100 * half:.1f}", f"{100 * bias:+.2f}", f"{power:.2f}"))
            name = ""
    return [
        "## Logs whose policy learns\n\n"
        f"{replications} replications each, those with an answer counted; 8 segments x 6 acts, effects of 2 to 5 "
        "points (a third harmful), payers with their own level (8 decisions each), averaged Thompson sampling over 10 "
        "batches. B takes the best act of each segment. Goal: doubly robust covers 94-97 %, floor 93 %. A true "
        "coverage of .95 shows between .925 and .975 in 300 replications.",
        table(heads, rows),
        f"Lowest coverage of the doubly robust interval: {min(worst):.3f}.",
    ]


def refusals(replications: int) -> list[str]:
    """Refusal shown when due, and only then."""
    cases: list[tuple[str, Callable[[int], Logged], bool]] = [
        ("300 decisions, B's act drawn 30 % of the time", lambda seed: fixed_log(seed, n=300), True),
        ("2,000 decisions, B's act drawn 30 % of the time", lambda seed: fixed_log(seed, n=2000), False),
        (
            "5,000 decisions, B's act drawn .5 % of the time",
            lambda seed: fixed_log(seed, n=5000, spread=(0.5, 0.005, 0.495)),
            True,
        ),
        ("5,000 decisions, half of B on an act never drawn", _half_blind, True),
    ]
    rows = []
    for name, make, due in cases:
        said = []
        for seed in range(replications):
            found = compare(make(seed), seed=seed)
            said.append(judge(found.support, found.gain, smallest=0.01))
        share = np.mean([one.answer == "refused" for one in said])
        rows.append((name, "yes" if due else "no", f"{share:.0%}", said[0].sentence))
    return ["## Refusal", table(("log", "refusal due", "refused", "what is said"), rows)]


def _half_blind(seed: int) -> Logged:
    logged = fixed_log(seed, n=5000, spread=(0.5, 0.5))
    wide = np.column_stack([logged.propensities if logged.propensities is not None else [], np.zeros(logged.n)])
    return replace(logged, target=np.tile([0.5, 0.0, 0.5], (logged.n, 1)), propensities=wide)


def false_alarms(paths: int) -> list[str]:
    """Always-valid tests without an effect, looked at every day."""
    rows = []
    for name, draw in (
        ("normal", lambda g, n: g.normal(size=n)),
        ("log-normal money, winsorised", lambda g, n: np.exp(1.2 * g.normal(size=n))),
    ):
        ever = fixed = 0
        for seed in range(paths):
            g = np.random.default_rng(seed)
            before = g.normal(size=(4000, 1))
            outcome = draw(g, 4000) + 0.7 * before[:, 0]
            whole = Groups(g.random(4000) < 0.5, outcome, before, 0.5)
            seen = [look(whole.first(number), planned=4000) for number in range(100, 4001, 50)]
            ever += any(one.decided for one in seen)
            fixed += any(not one.fixed.holds(0.0) for one in seen)
        wrong = ever / paths
        rows.append((name, f"**{goal(wrong, wrong <= 0.04, wrong <= 0.05)}**", f"{fixed / paths:.3f}"))
    return [
        "## A test without an effect, looked at every day\n\n"
        f"{paths} paths of 4,000 payers, 79 looks from payer 100 on, outcomes adjusted by a covariate. Ever wrong: "
        "goal <= 4 %, floor <= 5 %.",
        table(("outcome", "ever wrong, always valid", "ever wrong, fixed 95 % interval"), rows),
    ]


def mails(replications: int) -> list[str]:
    """Hillstrom: a biased log with known propensities from one half against the mean of the other half."""
    rows = []
    for arm in randomised_sets.MAILS:
        logged = randomised_sets.hillstrom(arm)
        got = logged.target[np.arange(logged.n), logged.action] == 1
        tally: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ("dr", "ips", "naive")}
        for seed in range(replications):
            g = np.random.default_rng(seed)
            half = g.random(logged.n) < 0.5
            other = np.flatnonzero(~half & got)
            own = clustered_interval(logged.outcome[other], other)
            for name, value in values_of(thinned(logged, half, g), seed).items():
                off = value.estimate - own.estimate
                tally[name].append((within(value, own), off, value.half_width))
        for place, (name, found) in enumerate(tally.items()):
            cover, off, half_width = np.mean(np.array(found, dtype=float), axis=0)
            rows.append((
                "" if place else arm, "" if place else f"{logged.outcome[got].mean():.2%}",
                {"dr": "doubly robust", "ips": "IPS", "naive": "naive mean of those who got it"}[name],
                f"{cover:.3f}", f"{100 * off:+.2f}", f"{100 * half_width:.2f}",
            ))  # fmt: skip
    return [
        "## Real mails, randomised (Hillstrom, 64,000 customers, visit within two weeks)",
        f"{replications} random halves. One half is thinned to a biased log (who had bought men's goods was kept more "
        "often with the women's mail and the other way round; propensities follow exactly), and the value of sending "
        "one mail to all is estimated from it. Covers: the difference to the own mean of that mail in the other half "
        "lies within 1.96 joint standard errors.",
        table(("mail to all", "own mean", "method", "covers", "mean off, points", "half-width, points"), rows),
        _ranking(),
    ]


def thinned(logged: Logged, half: npt.NDArray[np.bool_], g: np.random.Generator) -> Logged:
    """A biased log: rows kept with a chance by mail and past purchases, the same in sum for every customer."""
    mens, womens = logged.features[:, 1], logged.features[:, 2]
    keep = np.column_stack([0.2 + 0.4 * womens, 0.2 + 0.4 * mens, 1.0 - 0.4 * (mens + womens)])
    rows = half & (g.random(logged.n) < keep[np.arange(logged.n), logged.action])
    spread = keep[rows] / keep[rows].sum(axis=1, keepdims=True)
    action = logged.action[rows]
    return Logged(logged.features[rows], action, spread[np.arange(len(action)), action], logged.outcome[rows],
                  logged.cluster[rows], logged.target[rows], spread)  # fmt: skip


def values_of(logged: Logged, seed: int = 0) -> dict[str, Interval]:
    """B's own value (not its gain) by method."""
    parts = influence(logged, cross_fitted(logged, seed=seed))
    agree = logged.target.argmax(axis=1) == logged.action
    return {
        **{name: clustered_interval(parts[name] + logged.outcome, logged.cluster) for name in ("dr", "ips")},
        "naive": clustered_interval(logged.outcome[agree], logged.cluster[agree]),
    }


def within(one: Interval, other: Interval) -> bool:
    """Whether two independent estimates agree within 1.96 joint standard errors."""
    return abs(one.estimate - other.estimate) <= 1.96 * float(np.hypot(one.std_error or 0, other.std_error or 0))


def _ranking() -> str:
    """Qini of a ranking learnt on one half, on the other half, beside a random order."""
    logged = randomised_sets.hillstrom("Womens E-Mail")
    rows = logged.action != 0  # women's mail against none: the men's mail works for nearly everybody
    x, y = logged.features[rows], logged.outcome[rows]
    treated = (logged.action[rows] == 1).astype(np.int64)
    train = np.random.default_rng(0).random(len(y)) < 0.5
    predict = pooled_ridge(x[train], treated[train], y[train], 2)
    effect = predict(x[~train])
    scores = {
        "learnt uplift": effect[:, 1] - effect[:, 0], "chance of a visit": effect[:, 0],
        "random": np.random.default_rng(1).random(int((~train).sum())),
    }  # fmt: skip
    result = []
    for name, score in scores.items():
        curve = uplift_curve(score, treated[~train], y[~train], np.full(len(score), 0.5))
        qini = curve.qini_interval
        at = float(np.interp(0.3, curve.share, curve.gain))
        result.append((
            name, f"{1e3 * curve.qini:+.2f} [{1e3 * qini.low:+.2f}, {1e3 * qini.high:+.2f}]", f"{1e3 * curve.auuc:.2f}",
            f"{at / curve.gain[-1]:.0%}",
        ))  # fmt: skip
    head = ("ranking", "Qini x 1000 [95 %]", "AUUC x 1000", "share of the gain from the best 30 %")
    return f"Rankings by women's mail against none, learnt on one half, judged on the other:\n\n{table(head, result)}"


def bandit() -> list[str]:
    """Open Bandit: each policy's value from the other's log, against its own mean."""
    rows = []
    for logged_name, other_name in (("random", "bts"), ("bts", "random")):
        log = randomised_sets.bandit_log(
            randomised_sets.open_bandit(logged_name), randomised_sets.open_bandit(other_name)
        )
        click = randomised_sets.open_bandit(other_name).click
        own = clustered_interval(click, np.arange(len(click)))
        found, support = values_of(log), support_of(log)
        rows.append((
            f"{other_name} from the log of {logged_name}",
            *(
                f"{100 * one.estimate:.2f} [{100 * one.low:.2f}, {100 * one.high:.2f}]"
                for one in (found["dr"], found["ips"], found["naive"], own)
            ),
            "yes" if within(found["dr"], own) else "no", f"{support.ess:,.0f}", f"{support.overlap:.0%}",
            "yes" if support.suffices else "**refused**",
        ))  # fmt: skip
    head = (
        "value of, clicks in %",
        "doubly robust",
        "IPS",
        "naive",
        "own mean",
        "covers",
        "ESS",
        "overlap",
        "answered",
    )
    return [
        "## Two real bandit logs (Open Bandit, men's campaign, 10,000 impressions each)",
        table(head, rows),
        "The Thompson policy hardly ever shows most items: its log cannot tell what showing all of them evenly would "
        "bring, and the refusal is due whatever the interval happens to hold.",
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs everything and writes the table, unless a quick look was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=300)
    parser.add_argument("--paths", type=int, default=2000)
    given = parser.parse_args(arguments)
    parts = simulated(given.replications)
    parts += refusals(min(given.replications, 100))
    parts += false_alarms(given.paths)
    parts += living(60, 220) if given.replications >= 300 else living(2, 2)
    if randomised_sets.DATA.exists():
        parts += mails(min(given.replications, 200)) + bandit()
    else:
        print(f"SKIPPED: real sets are absent (expected at {randomised_sets.DATA})")
    if given.replications >= 300:
        publish("evaluate", "Would it have been better? Off-policy evaluation on known truths", parts)
    else:
        print("\n\n".join(parts))


if __name__ == "__main__":
    main()
