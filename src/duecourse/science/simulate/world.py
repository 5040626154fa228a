"""A ``World`` is the whole truth about a simulated company as data: read from ``worlds/NAME.toml``, never from code.

A world file may name another one it is ``based_on`` and then states only what differs. Values are the start model of
the simulator (docs/science/simulated-truth.md), most of them assumptions: good for ranking methods, no forecast of a
gain.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from datetime import date
from importlib import resources
from typing import Any, get_type_hints

from duecourse.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Orders:
    """How many invoices there are: weekly rate per customer, log-normal over customers, Poisson inside a week."""

    invoices_per_customer_week: float
    size_sd: float
    weekly_cap: float
    growth_per_year: float


@dataclass(frozen=True, slots=True)
class Amounts:
    """Invoice amounts in major units: log-normal customer mean, log-normal around it, clipped."""

    mean: float
    customer_sd: float
    invoice_sd: float
    smallest: float
    largest: float


@dataclass(frozen=True, slots=True)
class Terms:
    """Payment terms in days, one per customer, and how common each is."""

    days: tuple[int, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Payer:
    """How payers decide, once a week.

    Decisions start ``window_days`` before (due date - ``plan_ahead_days``). Inside that window the weekly hazard is
    solved so that a share ``late`` of the type is undecided at its end; afterwards the hazard of the type holds, on
    the logit scale plus intercept, ``age_logit`` per week overdue, month end and season. Whatever is undecided after
    ``max_weeks`` is written off.
    """

    intercept_sd: float
    window_days: int
    plan_ahead_days: int
    age_logit: float
    month_end_logit: float
    august_logit: float
    year_end_logit: float
    max_weeks: int


@dataclass(frozen=True, slots=True)
class Runs:
    """Shares of the pay-run kinds: the days on which a customer really pays what was decided."""

    weekly: float
    fortnightly: float
    month_end: float
    daily: float


@dataclass(frozen=True, slots=True)
class Bank:
    """Business days from pay-run to arrival (share of 0, 1, 2 ...), and receipts that stay unapplied for some days.

    ``closed`` are days of every year (``12-25``) or single ones (``2026-06-01``).
    """

    business_days: tuple[float, ...]
    unapplied: float
    unapplied_from_days: int
    unapplied_to_days: int
    closed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cash:
    """Shares of invoices paid in two parts, paid short (the rest is credited), and reduced by a credit note."""

    part: float
    short: float
    credit_note: float


@dataclass(frozen=True, slots=True)
class Disputing:
    """Disputes open in the first ``weeks`` after issue; while one is open the hazard is multiplied by ``hazard``."""

    weeks: int
    hazard: float
    resolved_per_week: float
    whole: float


@dataclass(frozen=True, slots=True)
class Contacting:
    """The ladder of the history: overdue weeks at which mails, calls and letters go out, and what calls bring.

    ``promise`` is the share of reached calls to an undecided payer that end in a promise. Contacts have no other
    effect yet. A kept promise is paid on its day outside the pay-run.
    """

    mail_weeks: tuple[int, ...]
    call_weeks: tuple[int, ...]
    letter_weeks: tuple[int, ...]
    reached: float
    promise: float


@dataclass(frozen=True, slots=True)
class WriteOff:
    """From ``from_week`` overdue on, the weekly chance of the type times (1 + weeks overdue * slope)."""

    from_week: int
    slope: float


@dataclass(frozen=True, slots=True)
class Recording:
    """Shares of facts that the books learn late, and of invoices that are corrected later by a new version."""

    invoice_late: float
    invoice_corrected: float


@dataclass(frozen=True, slots=True)
class PayerType:
    """One latent type of customer. ``rate_per_day`` is used by the ``exponential`` process only."""

    mix: float
    late: float = 0.5
    hazard: float = 0.2
    month_end_hazard: float = 0.0
    write_off: float = 0.0
    promise_kept: float = 0.6
    disputes: float = 0.0
    rate_per_day: float = 0.0


@dataclass(frozen=True, slots=True)
class World:
    """The specification of one simulated company; see the parts for what each value means.

    ``process`` is ``weekly`` (weekly decisions, pay-runs, bank) or ``exponential`` (paid at a constant daily rate
    from the day after issue, on any day of the week: the closed form for tests).
    """

    name: str
    about: str
    process: str
    ends_on: date
    customers: int
    months: int
    orders: Orders
    amounts: Amounts
    terms: Terms
    payer: Payer
    runs: Runs
    bank: Bank
    cash: Cash
    disputing: Disputing
    contacting: Contacting
    write_off: WriteOff
    recording: Recording
    types: Mapping[str, PayerType]

    def as_json(self) -> dict[str, Any]:
        """All parameters as plain values, dates as ISO text."""
        plain = asdict(self)
        plain["ends_on"] = self.ends_on.isoformat()
        return plain


def world_names() -> tuple[str, ...]:
    """The names of all worlds that are shipped, sorted."""
    folder = resources.files(__package__).joinpath("worlds")
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load_world(name: str) -> World:
    """The world of that name. Raises UsageError for an unknown name, listing those that exist."""
    known = world_names()
    if name not in known:
        raise UsageError(f"unknown world {name!r}: expected one of {', '.join(known)}")
    return world_from(world_values(name))


def world_from(values: Mapping[str, Any]) -> World:
    """A world from plain values (as in a world file). Raises ValueError for a missing, unknown or impossible value."""
    world: World = build(World, values, where="world")
    if world.process not in ("weekly", "exponential"):
        raise ValueError(f"world.process: expected 'weekly' or 'exponential', got {world.process!r}")
    for what, shares in (
        ("types", [kind.mix for kind in world.types.values()]),
        ("runs", list(asdict(world.runs).values())),
        ("terms.shares", world.terms.shares),
        ("bank.business_days", world.bank.business_days),
    ):
        if abs(sum(shares) - 1) > 1e-6:
            raise ValueError(f"world.{what}: shares must sum to 1, they sum to {sum(shares)}")
    return world


def world_values(name: str) -> dict[str, Any]:
    """The plain values of a shipped world with everything that it is based on."""
    text = resources.files(__package__).joinpath("worlds").joinpath(f"{name}.toml").read_text("utf-8")
    own = tomllib.loads(text)
    parent = own.pop("based_on", None)
    own["name"] = name
    return own if parent is None else over(world_values(parent), own)


def over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """``below`` with the values of ``above`` put over it; ``types`` is replaced as a whole."""
    result = dict(below)
    for key, value in above.items():
        mergeable = key != "types" and isinstance(value, dict) and isinstance(below.get(key), dict)
        result[key] = over(below[key], value) if mergeable else value
    return result


def build(kind: type[Any], values: Mapping[str, Any], *, where: str) -> Any:  # noqa: ANN401 - an instance of ``kind``
    """An instance of the dataclass ``kind`` from plain values. Raises ValueError for a missing or unknown value."""
    hints = get_type_hints(kind)
    names = {field.name for field in fields(kind)}
    if unknown := sorted(set(values) - names):
        raise ValueError(f"{where}: unknown value {unknown[0]!r}; expected {', '.join(sorted(names))}")
    built: dict[str, Any] = {}
    for field in fields(kind):
        if field.name not in values:
            if field.default is MISSING:
                raise ValueError(f"{where}.{field.name} is missing")
            continue
        value = values[field.name]
        if field.name == "types":
            value = {name: build(PayerType, each, where=f"{where}.types.{name}") for name, each in value.items()}
        elif is_dataclass(hints[field.name]) and not is_dataclass(value):
            value = build(hints[field.name], value, where=f"{where}.{field.name}")
        elif isinstance(value, list):
            value = tuple(value)
        built[field.name] = value
    return kind(**built)
