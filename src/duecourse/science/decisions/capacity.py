"""``Capacity`` (``capacity.json``): how many collector minutes there are, for how long, which acts at which cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from duecourse.core.calendar import are_business_days, epoch_days, holiday_days
from duecourse.core.errors import BadInput, Problem
from duecourse.core.ids import sha256_hex
from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.envelope import Envelope, read_envelope
from duecourse.science.decisions.reading import Reader


@dataclass(frozen=True, slots=True)
class Arm:
    """What one act costs: money in minor units of the book's currency, and collector minutes."""

    cost_minor: int
    minutes: float


@dataclass(frozen=True, slots=True)
class Capacity:
    """Minutes per business day, calendar days planned ahead, yearly cost of capital, and the arms that exist.

    ``country`` (ISO 3166-1 alpha-2, optional) decides which public holidays are no business days. Arms that are not
    listed are not available; ``none`` always is. ``terms`` (optional): what may be offered to customers.
    """

    minutes_per_day: float
    horizon_days: int
    cost_of_capital: float
    arms: Mapping[str, Arm]
    country: str = ""
    terms: Envelope | None = None

    def business_days(self, as_of: date) -> list[date]:
        """The days among ``as_of`` .. ``as_of + horizon_days - 1`` on which people work."""
        days = [as_of + timedelta(days=offset) for offset in range(self.horizon_days)]
        holidays = holiday_days(self.country, days[0], days[-1])
        open_days = are_business_days(epoch_days(days), holidays)
        return [day for day, is_open in zip(days, open_days, strict=True) if is_open]

    def minutes_of(self, arm: str) -> float:
        """Collector minutes of one act of ``arm``; 0 for ``none`` and for arms that do not exist."""
        return self.arms[arm].minutes if arm in self.arms else 0.0

    def cost_of(self, arm: str) -> int:
        """Cost of one act of ``arm`` in minor units."""
        return self.arms[arm].cost_minor if arm in self.arms else 0

    def to_json(self) -> str:
        """The canonical form: the same capacity gives the same text."""
        arms = {name: {"cost_minor": arm.cost_minor, "minutes": arm.minutes} for name, arm in self.arms.items()}
        content: dict[str, object] = {
            "minutes_per_day": self.minutes_per_day, "horizon_days": self.horizon_days,
            "cost_of_capital": self.cost_of_capital, "country": self.country, "arms": arms,
        }  # fmt: skip
        if self.terms is not None:
            content["terms"] = self.terms.to_dict()
        return json.dumps(content, sort_keys=True, separators=(",", ":"))

    @property
    def capacity_hash(self) -> str:
        """SHA-256 of the canonical form."""
        return sha256_hex(self.to_json().encode())


# [A] One collector's day of seven hours, a week ahead, and the acts that need no further supplier or approval.
DEFAULT_CAPACITY = Capacity(
    minutes_per_day=420.0,
    horizon_days=7,
    cost_of_capital=0.10,
    arms={
        "email_soft": Arm(30, 0.0), "email_neutral": Arm(30, 0.0), "email_firm": Arm(30, 0.0),
        "call_service": Arm(0, 12.0), "call_firm": Arm(0, 12.0),
        "send_documents": Arm(50, 1.0), "route_dispute": Arm(0, 5.0),
    },
)  # fmt: skip

_KEYS = ("minutes_per_day", "horizon_days", "cost_of_capital", "arms", "country", "terms")
_EXAMPLE = (
    '{"minutes_per_day": 420, "horizon_days": 7, "cost_of_capital": 0.10, '
    '"arms": {"email_soft": {"cost_minor": 30, "minutes": 0}, "call_service": {"cost_minor": 0, "minutes": 12}}}'
)


def read_capacity(text: str, *, file: str = "capacity.json") -> Capacity:
    """The capacity that ``text`` (JSON) states; raises BadInput with every problem, each with key and cure."""
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        problem = Problem(
            file, error.lineno, None, None, f"JSON such as {_EXAMPLE}", f"{error.msg}, character {error.colno}"
        )
        raise BadInput(f"{file} is not JSON", (problem,)) from None
    if not isinstance(raw, dict):
        shown = json.dumps(raw, ensure_ascii=False)[:200]
        raise BadInput(f"{file} must hold one JSON object", (Problem(file, None, None, shown, _EXAMPLE),))
    reader = Reader(file)
    reader.keys(raw, _KEYS)
    minutes = reader.number(raw, "minutes_per_day", largest=100_000)
    horizon = reader.whole(raw, "horizon_days", "calendar days", smallest=1, largest=366)
    capital = reader.number(raw, "cost_of_capital", default=0.10, largest=1)
    country = raw.get("country", "")
    if not isinstance(country, str) or not (country == "" or (len(country) == 2 and country.isalpha())):
        reader.refuse("country", country, "a two-letter ISO 3166-1 code such as DE")
    arms = _arms(raw.get("arms"), reader)
    terms = read_envelope(raw["terms"], arms, reader) if "terms" in raw else None
    if reader.problems:
        raise BadInput(f"{file} cannot be used", tuple(reader.problems))
    return Capacity(minutes, horizon, capital, arms, str(country).upper(), terms)


def _arms(listed: object, reader: Reader) -> dict[str, Arm]:
    if not isinstance(listed, dict):
        reader.refuse("arms", listed, "an object arm -> {cost_minor, minutes}", _EXAMPLE)
        return {}
    arms: dict[str, Arm] = {}
    for name in sorted(listed):
        content, where = listed[name], f"arms.{name}"
        if name not in ARMS:
            reader.refuse(where, None, f"one of the arms {', '.join(ARMS)}", "check the spelling")
        elif not isinstance(content, dict):
            reader.refuse(where, content, '{"cost_minor": 30, "minutes": 0}')
        else:
            for key in sorted(set(content) - {"cost_minor", "minutes"}):
                reader.refuse(f"{where}.{key}", content[key], "cost_minor, minutes")
            cost = reader.whole(content, "cost_minor", "minor units", where=where, largest=10**12, cure="30 = 0.30")
            minutes = reader.number(content, "minutes", where=where, largest=10_000)
            if name != "none":
                arms[name] = Arm(cost, minutes)
    return arms
