"""A small company in which contacts have a known effect: weekly, vectorised, for tests of the learner only.

It differs from the learner in form: payers decide by a hidden hazard of their own and pay some days or weeks later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.learned.book import ARM, Book, Decided, Resources

MONDAY = 20458  # 2026-01-05, days since 1970-01-01
Policy = Callable[[Book, Resources, int], Decided]


@dataclass
class SmallWorld:
    """``effect`` arm name -> log-odds of one contact; a share of ``deaf`` customers does not react at all."""

    seed: int
    effect: dict[str, float] = field(default_factory=dict)
    points: int = 300
    new_per_week: int = 40
    deaf: float = 0.0
    base: float = -1.6
    delay: tuple[float, ...] = (0.5, 0.3, 0.2)
    lost_per_week: float = 0.002
    calls: int = 6
    history_weeks: int = 0

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.habit = self.rng.normal(0, 0.5, self.points)
        self.reacts = (self.rng.random(self.points) >= self.deaf).astype(float)
        self.week = 0
        empty = np.empty(0, dtype=np.int64)
        self.point, self.due, self.paid, self.lost = empty, empty, empty, empty
        self.decides = np.empty(0, dtype=np.int64)  # week of the decision to pay
        self.amount = np.empty(0)
        self.strength = np.zeros((self.points, 3))
        self.fatigue = np.zeros(self.points)
        self.log: list[tuple[np.ndarray, np.ndarray, np.ndarray, int]] = []
        self.contacts = 0
        self.firm_share: list[float] = []

    def resources(self, arms: tuple[str, ...] = ("email_soft", "email_firm", "call_service")) -> Resources:
        exists = np.isin(np.array(ARMS), ("none", *arms))
        minutes = np.where(np.char.startswith(np.array(ARMS), "call"), 12.0, 0.0)
        cost = np.where(np.array(ARMS) == "none", 0.0, np.where(minutes > 0, 0.0, 30.0))
        return Resources(exists, cost, minutes, 12.0 * self.calls)

    @property
    def today(self) -> int:
        return MONDAY + 7 * self.week

    def book(self) -> Book:
        closed = np.full(self.point.size, -1)
        is_open = (self.paid < 0) | (self.paid >= self.today)
        is_open &= (self.lost < 0) | (self.lost >= self.today)
        paid = np.where((self.paid >= 0) & (self.paid < self.today), self.paid, -1)
        lost = np.where((self.lost >= 0) & (self.lost < self.today), self.lost, -1)
        none = np.empty(0, dtype=np.int64)
        day = np.concatenate([np.full(entry[0].size, entry[3]) for entry in self.log]) if self.log else none
        who = np.concatenate([entry[0] for entry in self.log]) if self.log else none
        arm = np.concatenate([entry[1] for entry in self.log]) if self.log else none
        chance = np.concatenate([entry[2] for entry in self.log]) if self.log else np.empty((0, len(ARMS)))
        sent = arm > 0
        return Book(
            as_of=self.today, point_cluster=np.arange(self.points), point=self.point, issued=self.due - 30,
            due=self.due,
            amount_minor=self.amount, collectible_minor=np.where(is_open, self.amount, 0.0), paid_day=paid,
            closed_day=closed, written_off_day=lost, timing_logit=np.zeros(self.point.size),
            dispute_invoice=none, dispute_opened=none, dispute_resolved=none, dispute_whole=none.astype(bool),
            promise_invoice=none, promise_made=none, promise_due=none, promise_outcome=none,
            part_invoice=none, part_day=none, contact_point=who[sent], contact_day=day[sent], contact_arm=arm[sent],
            contact_human=np.zeros(int(sent.sum()), dtype=bool), contact_reached=np.full(int(sent.sum()), -1),
            decision_point=who, decision_day=day, decision_arm=arm, decision_propensities=chance, decision_executed=arm,
            allowed=np.ones((self.points, len(ARMS)), dtype=bool),
        )  # fmt: skip

    def step(self, decided: Decided | None) -> None:
        """Apply the decisions of this Monday and live one week."""
        arrivals = self.rng.integers(0, self.points, self.new_per_week)
        size = arrivals.size
        self.point = np.concatenate([self.point, arrivals])
        self.due = np.concatenate([self.due, self.today + self.rng.integers(-1, 6, size)])
        self.amount = np.concatenate([self.amount, np.round(np.exp(self.rng.normal(12.4, 0.9, size)))])
        for name in ("paid", "lost", "decides"):
            setattr(self, name, np.concatenate([getattr(self, name), np.full(size, -1)]))
        push = np.zeros(self.points)
        if decided is not None:
            self.log.append((decided.point, decided.arm, decided.propensities, self.today))
            effects = np.array([self.effect.get(name, 0.0) for name in ARMS])
            push[decided.point] = effects[decided.arm]
            sent = decided.arm > 0
            self.contacts += int(sent.sum())
            self.firm_share.append(float((decided.arm == ARM["email_firm"]).sum() / max(decided.arm.size, 1)))
            push /= 1 + 0.5 * self.fatigue
            self.fatigue *= 0.7
            self.fatigue[decided.point[sent]] += 1
        self.strength = np.column_stack([push, self.strength[:, :2]])
        acting = (self.strength @ [1.0, 0.5, 0.25]) * self.reacts
        waiting = (self.decides < 0) & (self.lost < 0)
        age = (self.today - self.due) // 7
        logit = self.base + self.habit[self.point] - 0.03 * age + acting[self.point]
        uniform, fate, lag = self.rng.random((3, self.point.size))
        paying = waiting & (uniform < 1 / (1 + np.exp(-logit)))
        weeks = np.searchsorted(np.cumsum(self.delay), lag * 0.999999)
        self.decides[paying] = self.week
        self.paid[paying] = (self.today + 7 * weeks + 3)[paying]
        losing = waiting & ~paying & (age >= 0) & (fate < self.lost_per_week * (1 + age / 8))
        self.lost[losing] = self.today + 3
        self.week += 1

    def live(self, policy: Policy | None, weeks: int) -> None:
        resources = self.resources()
        for _ in range(weeks):
            book = self.book() if policy is not None else None
            decided = policy(book, resources, self.seed * 1000 + self.week) if policy and book else None
            self.step(decided)


def at_random(share: dict[str, float]) -> Policy:
    """Each overdue contact point gets each arm with a fixed probability, logged."""

    def policy(book: Book, resources: Resources, seed: int) -> Decided:
        points = np.unique(book.point[book.overdue])
        row = np.zeros(len(ARMS))
        for name, value in share.items():
            row[ARM[name]] = value
        row[0] = 1 - row[1:].sum()
        arm = np.random.default_rng(seed).choice(len(ARMS), size=points.size, p=row)
        return Decided(points, arm.astype(np.int64), np.tile(row, (points.size, 1)))

    return policy
