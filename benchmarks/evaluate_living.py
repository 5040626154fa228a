"""Would-it-have-been-better in a world in which contacts matter; gives the part of results/evaluate.md on it.

A house is run by a policy that draws at random and logs its propensities. Its log alone tells what one decision by B
would have changed; the world then tells the truth: every Monday the house is copied, B decides once for everybody, and
the logged policy goes on, on the same random numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from machine import table
from scipy.stats import binom

from duecourse.ledger.schema import ARMS
from duecourse.science.evaluate.logged import Logged
from duecourse.science.evaluate.off_policy import Comparison, compare
from duecourse.science.simulate.living import Book, House, LivingWorld, Policy, load_living
from duecourse.science.simulate.living.book import none
from duecourse.science.simulate.living.policies.ladder import ladder
from duecourse.science.simulate.living.policies.simple import RandomLog, value_at_stake

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
WINDOW_WEEKS = 4
FIRST_SEED = {"base": 200, "null": 500}  # apart, so that the two worlds share no random numbers
POLICIES: Mapping[str, Policy] = {"nobody": none, "ladder": ladder, "value at stake": value_at_stake}


@dataclass
class Log:
    """Rows of decisions as they are collected, and the sum of true outcomes by policy."""

    features: list[Floats] = field(default_factory=list)
    arm: list[Ints] = field(default_factory=list)
    propensities: list[Floats] = field(default_factory=list)
    point: list[Ints] = field(default_factory=list)
    target: dict[str, list[Floats]] = field(default_factory=dict)
    outcome: list[Floats] = field(default_factory=list)
    true: dict[str, list[Floats]] = field(default_factory=dict)


def living(base: int, null: int, weeks: int = 26) -> list[str]:
    """The table: truth, estimate and naive mean of each policy over so many seeds of each world."""
    rows = []
    for world, seeds in (("base", base), ("null", null)):
        found: dict[str, list[tuple[Comparison, float]]] = {name: [] for name in POLICIES}
        for seed in range(FIRST_SEED[world], FIRST_SEED[world] + seeds):
            lived = LivingWorld(load_living(world), seed, weeks=weeks + 2 * WINDOW_WEEKS)
            log = collected(lived, weeks, truth=world != "null")
            for name in POLICIES:
                comparison, truth = judged(log, name)
                found[name].append((comparison, 0.0 if truth is None else truth))  # in `null` 0 by construction
        rows += [_row(world, name, values) for name, values in found.items()]
    head = ("world", "B", "truth, points", "doubly robust", "half-width", "covers", "rms z", "naive", "naive covers",
            "decisions", "ESS", "answered")  # fmt: skip
    return [
        "## A world in which contacts matter (pay-runs, carry-over, fatigue, promises, disputes, people who deviate)",
        f"{base} seeds of `base`, {null} others of `null`, {weeks} weeks of a random log each; share of the listed "
        f"money paid within {WINDOW_WEEKS} weeks. Truth: in the same house, copied every Monday, B deciding once and "
        "the log's policy going on, same random numbers; in `null` no contact has an effect. Each estimate is compared "
        "with the truth of its own house. The policies of a seed share its log, so the rows of a world are not "
        "independent of each other: ladder and value at stake send the same mails.",
        table(head, rows),
        f"A true coverage of .95 shows between {_band(base)[0]} and {_band(base)[1]} of {base}, and between "
        f"{_band(null)[0]} and {_band(null)[1]} of {null}, in 95 of 100 such tables.",
    ]


def _row(world: str, name: str, values: list[tuple[Comparison, float]]) -> tuple[str, ...]:
    truth = np.array([one for _, one in values])
    gains, naives = [one.gain for one, _ in values], [one.sensitivity["naive"] for one, _ in values]
    z = [(one.estimate - true) / (one.std_error or 1.0) for one, true in zip(gains, truth, strict=True)]
    inside = sum(one.holds(true) for one, true in zip(gains, truth.tolist(), strict=True))
    fooled = sum(one.holds(true) for one, true in zip(naives, truth.tolist(), strict=True))
    return (
        world, name, f"{100 * truth.mean():+.2f}", f"{100 * np.mean([one.estimate for one in gains]):+.2f}",
        f"{100 * np.mean([one.half_width for one in gains]):.2f}", f"**{inside} of {len(values)}**",
        f"{np.sqrt(np.mean(np.square(z))):.2f}", f"{100 * np.mean([one.estimate for one in naives]):+.2f}",
        f"{fooled} of {len(values)}", f"{np.mean([one.support.n for one, _ in values]):,.0f}",
        f"{np.mean([one.support.ess for one, _ in values]):,.0f}",
        f"{np.mean([one.support.suffices for one, _ in values]):.0%}",
    )  # fmt: skip


def _band(seeds: int) -> tuple[int, int]:
    """Between what a count of ``seeds`` intervals that hold with .95 each lies, 95 times of 100."""
    return int(binom.ppf(0.025, seeds, 0.95)), int(binom.ppf(0.975, seeds, 0.95))


def collected(world: LivingWorld, weeks: int, *, truth: bool) -> Log:
    """The log of ``weeks`` Mondays of the random policy, what B would have done, and if asked what had come of it."""
    house, log, random = world.stepper(), Log(), RandomLog()
    log.target = {name: [] for name in POLICIES}
    log.true = {name: [] for name in POLICIES}
    waiting: list[tuple[int, Book, Ints]] = []
    seed = world.seed * 100_000
    for _ in range(weeks + WINDOW_WEEKS):
        book = house.book()
        while waiting and book.as_of >= waiting[0][0] + 7 * WINDOW_WEEKS:
            _, before, points = waiting.pop(0)
            log.outcome.append(paid_share(before, book, points))
        decided = random(book, house.capacity, seed + house.week)
        if len(log.arm) < weeks:
            points = decided.point[listed_minor(book)[decided.point] > 0]
            keep = np.isin(decided.point, points)
            waiting.append((book.as_of, book, points))
            log.features.append(features(book, points))
            log.arm.append(decided.arm[keep])
            log.propensities.append(decided.propensities[keep])
            log.point.append(book.point_cluster[points])
            for name, policy in POLICIES.items():
                choice = np.zeros(book.allowed.shape[0], dtype=np.int64)
                own = policy(book, house.capacity, seed + house.week)
                choice[own.point] = own.arm
                log.target[name].append(np.eye(len(ARMS))[choice[points]])
                if truth:
                    other = house.copied()
                    other.apply(own)
                    follow(other, random, seed)
                    log.true[name].append(paid_share(book, other.book(), points))
        house.apply(decided)
    book = house.book()
    for _, before, points in waiting:
        log.outcome.append(paid_share(before, book, points))
    return log


def follow(house: House, policy: Policy, seed: int) -> None:
    """The rest of the window under the logged policy."""
    for _ in range(WINDOW_WEEKS - 1):
        house.apply(policy(house.book(), house.capacity, seed + house.week))


def judged(log: Log, name: str) -> tuple[Comparison, float | None]:
    """The comparison from the log alone, and the true gain where it was asked for."""
    propensities, arm = np.concatenate(log.propensities), np.concatenate(log.arm)
    outcome = np.concatenate(log.outcome)
    logged = Logged(
        np.concatenate(log.features), arm, propensities[np.arange(len(arm)), arm], outcome, np.concatenate(log.point),
        np.concatenate(log.target[name]), propensities,
    )  # fmt: skip
    true = log.true[name]
    return compare(logged), float(np.concatenate(true).mean() - outcome.mean()) if true else None


def _listed(book: Book) -> npt.NDArray[np.bool_]:
    flags: npt.NDArray[np.bool_] = (book.collectible_minor > 0) & (book.due <= book.as_of + 7)
    return flags


def listed_minor(book: Book) -> Floats:
    """Money that a message would ask for, per contact point."""
    rows = _listed(book)
    return np.bincount(book.point[rows], book.collectible_minor[rows], minlength=book.allowed.shape[0])


def paid_share(before: Book, after: Book, points: Ints) -> Floats:
    """Share of what was listed in ``before`` that was paid within the window, as ``after`` knows it."""
    rows = np.flatnonzero(_listed(before))  # invoices keep their row: later books only append
    day = after.paid_day[rows]
    came = (day >= 0) & (day < before.as_of + 7 * WINDOW_WEEKS)
    size = before.allowed.shape[0]
    total = np.bincount(before.point[rows], before.collectible_minor[rows], minlength=size)
    paid = np.bincount(before.point[rows], before.collectible_minor[rows] * came, minlength=size)
    share: Floats = paid[points] / total[points]
    return share


def features(book: Book, points: Ints) -> Floats:
    """What was known of each contact point that morning: age, money, number, its past lateness, recent contacts."""
    size = book.allowed.shape[0]
    rows = np.flatnonzero(_listed(book))
    oldest = np.full(size, -30.0)
    np.maximum.at(oldest, book.point[rows], (book.as_of - book.due[rows]).astype(float))
    number = np.bincount(book.point[rows], minlength=size)
    paid = np.flatnonzero(book.paid_day >= 0)
    late = np.clip(book.paid_day[paid] - book.due[paid], -30, 120)
    count = np.bincount(book.point[paid], minlength=size)
    mean = (np.bincount(book.point[paid], late, minlength=size) + 3 * late.mean()) / (count + 3)
    recent = book.contact_day >= book.as_of - 28
    contacts = np.bincount(book.contact_point[recent], minlength=size)
    week = np.clip(oldest // 7, 0, 12)
    columns = (week == 0, (week > 0) & (week < 3), (week >= 3) & (week < 6), week, np.log1p(listed_minor(book)),
               np.log1p(number), mean / 10, np.log1p(count), np.minimum(contacts, 6))  # fmt: skip
    return np.column_stack([np.asarray(column, dtype=float)[points] for column in columns])
