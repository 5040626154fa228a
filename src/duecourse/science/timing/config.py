"""``TimingConfig``: every constant of the payment-timing method in one place, with the source of each default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

FeatureSet = Literal["full", "no_contact"]


@dataclass(frozen=True, slots=True)
class TimingConfig:
    """Settings of the hazard model; the defaults are those of docs/science/payment-timing.md.

    ``daily_days`` days from the landmark are single rows, then ``weekly_bins`` bins of seven days. A weekday with less
    than ``nonpaying_share`` of the book's clearings is a day on which nobody pays. ``blend_weight`` is the share of the
    customer's own distribution in the hazard (``short_history_blend_weight`` while the book has cleared invoices over
    less than ``short_history_days``). ``bags`` models with different seeds are averaged on the logit scale while the
    fit has at most ``bag_rows`` rows. Beyond ``full_rows`` a fit uses a weighted sample of the days without a payment,
    and beyond ``max_rows`` whole invoices are left out by the hash of their id. A book with fewer paid invoices than
    ``small_book_payments`` gets few and small trees that do not see the beat of payments (``payment_beat``; ADR 0037):
    large ones learn its invoices by heart, and a beat counted on past the last known payment puts payments off.
    """

    daily_days: int = 45
    weekly_bins: int = 19
    nonpaying_share: float = 0.01
    nonpaying_window_days: int = 365
    blend_weight: float = 0.1
    short_history_blend_weight: float = 0.2
    short_history_days: int = 140
    feature_set: FeatureSet = "full"
    payment_beat: bool = True
    bags: int = 3
    bag_rows: int = 1_000_000
    full_rows: int = 2_000_000
    max_rows: int = 40_000_000
    block_landmarks: int = 50_000
    num_leaves: int = 31
    learning_rate: float = 0.1
    rounds: int = 200
    min_data_in_leaf: int = 200
    small_book_payments: int = 2_000
    small_book_leaves: int = 7
    small_book_rounds: int = 100
    lambda_l2: float = 10.0
    max_bin: int = 127
    feature_fraction: float = 0.6
    bagging_fraction: float = 0.8
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def horizon(self) -> int:
        """Days that a curve covers: j = 0..horizon-1."""
        return self.daily_days + 7 * self.weekly_bins

    def for_book(self, paid_invoices: int) -> TimingConfig:
        """These settings for a book with so many paid invoices."""
        if paid_invoices >= self.small_book_payments:
            return self
        leaves, rounds = min(self.num_leaves, self.small_book_leaves), min(self.rounds, self.small_book_rounds)
        return replace(self, num_leaves=leaves, rounds=rounds, payment_beat=False)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as they are stored with a model."""
        return asdict(self)
