"""What is at stake in an open invoice, and what a contact is assumed to save of it.

    stake = collectible x P(not paid within 14 days) x m
    m     = 1 - V, V = value today of one unit that is not paid within 14 days and is left alone

From the payment-date distribution: a unit paid on day t > 14 loses ``1 - (1 + cost_of_capital)^(-t/365)``, of the mass
that is not paid within the model's reach half is taken to be lost for good. So a stake is small where money is merely
late and large where it may not come.

**No effect of a contact has been measured here.** ``RESPONSE`` is an assumption, printed with every plan: the share of
the stake that one act saves. ``expected_gain_minor`` is stake x response - cost: good for an order, not a promise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import polars as pl

FloatArray = npt.NDArray[np.float64]

SOON_DAYS = 14
LOST_SHARE = 0.5  # [A] of what is not paid within the model's reach, this share never comes
BEYOND_DAYS = 60  # [A] what comes after the curve's end comes this much later

# [A] share of the stake that one act saves; to be replaced by measured effects. Interval: nothing to twice as much.
RESPONSE: Mapping[str, float] = MappingProxyType({
    "none": 0.0, "email_soft": 0.05, "email_neutral": 0.06, "email_firm": 0.07, "sms_soft": 0.06,
    "letter_formal": 0.08, "call_service": 0.20, "call_firm": 0.20, "call_plan": 0.20, "email_discount": 0.10,
    "send_documents": 0.25, "route_dispute": 0.30, "escalate": 0.10,
})  # fmt: skip
LOW_FACTOR, HIGH_FACTOR = 0.0, 2.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a payment-date distribution says about one invoice; days count from ``as_of``, None beyond the horizon.

    ``paid_soon`` is P(paid within 14 days), ``loss_share`` the stake as a share of the collectible amount.
    """

    paid_soon: float
    loss_share: float
    p10_days: int | None
    p50_days: int | None
    p90_days: int | None
    horizon_days: int


def outlooks(curves: pl.DataFrame, p_never: Mapping[str, float], cost_of_capital: float) -> dict[str, Outlook]:
    """The outlook of every invoice in ``curves`` (invoice_id, day, cdf; the columns of the contract).

    Raises ValueError when invoices have curves of different lengths or shorter than 14 days.
    """
    ordered = curves.sort("invoice_id", "day")
    ids = ordered.get_column("invoice_id").unique(maintain_order=True).to_list()
    if not ids:
        return {}
    length = ordered.height // len(ids)
    cdf = ordered.get_column("cdf").to_numpy().astype(np.float64)
    if ordered.height != length * len(ids) or length <= SOON_DAYS:
        raise ValueError(f"curves must give every invoice the same days 0..n with n >= {SOON_DAYS}")
    cdf = cdf.reshape(len(ids), length)
    never = np.array([p_never.get(key, 0.0) for key in ids])
    loss = loss_shares(cdf, never, cost_of_capital)
    quantiles = [_first_day(cdf, level) for level in (0.1, 0.5, 0.9)]
    return {
        key: Outlook(
            float(cdf[row, SOON_DAYS]), float(loss[row]),
            quantiles[0][row], quantiles[1][row], quantiles[2][row], length,
        )
        for row, key in enumerate(ids)
    }  # fmt: skip


def loss_shares(cdf: FloatArray, p_never: FloatArray, cost_of_capital: float) -> FloatArray:
    """Stake per unit of collectible money, shape (n,), from curves of shape (n, days) and P(never)."""
    length = cdf.shape[1]
    day = np.arange(SOON_DAYS + 1, length)
    waiting = 1 - (1 + cost_of_capital) ** (-day / 365)
    paid_later = np.diff(cdf[:, SOON_DAYS:], axis=1)
    left = np.clip(1 - cdf[:, -1], 0, 1)
    lost = np.minimum(p_never, left)
    end_cost = 1 - (1 + cost_of_capital) ** (-(length + BEYOND_DAYS) / 365)
    result: FloatArray = paid_later @ waiting + lost * LOST_SHARE + (left - lost * LOST_SHARE) * end_cost
    return np.clip(result, 0, 1)


def gain_from_uplift(collectible_minor: int, p_paid_alone: float, p_paid_contacted: float, cost_minor: int = 0) -> int:
    """Cash that a contact brings in within the period of the two probabilities, net of its cost, in minor units.

    For the day when effects are measured: 20,000 open, .40 alone and .90 when called, are 10,000 before cost.
    """
    return round(collectible_minor * (p_paid_contacted - p_paid_alone)) - cost_minor


def assumed_gain(at_stake: float, arm: str, cost_minor: int) -> tuple[int, int, int]:
    """Expected, low and high gain of one act, in minor units, under the assumed response to what is ``at_stake``."""
    saved = at_stake * RESPONSE[arm]
    return (
        round(saved) - cost_minor,
        round(saved * LOW_FACTOR) - cost_minor,
        round(saved * HIGH_FACTOR) - cost_minor,
    )


def _first_day(cdf: FloatArray, level: float) -> list[int | None]:
    reached = cdf >= level
    first = np.where(reached[:, -1], reached.argmax(axis=1), -1)  # a cdf that reaches the level holds it to the end
    return [None if day < 0 else int(day) for day in first]
