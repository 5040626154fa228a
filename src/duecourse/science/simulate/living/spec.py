"""A ``Living`` world as data: the company (``simulate.world``) and everything by which contacts change what it is paid.

``worlds/NAME.toml`` names the company it starts from (``company``), changes some of its values (``[changes]``) and
states the mechanisms of the house, its people and its payers. A file may be ``based_on`` another one and then states
only what differs. Values are the start model of the simulator (docs/science/simulated-world.md), most of them
assumptions: good for ranking methods, no forecast of a gain.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from importlib import resources
from typing import Any

import numpy as np

from duecourse.core.errors import UsageError
from duecourse.ledger.schema import ARMS
from duecourse.science.simulate.pay_calendar import Floats
from duecourse.science.simulate.world import World, build, over, world_values

STAGE_CUSTOMERS = 100  # fewer may hold no dozen customers of one country for the group
ARM = {name: code for code, name in enumerate(ARMS)}


@dataclass(frozen=True, slots=True)
class Span:
    """The Monday on which policies take over, weeks of human history before it, weeks each arrival is followed."""

    starts_on: date
    history_weeks: int
    follow_weeks: int


@dataclass(frozen=True, slots=True)
class Worth:
    """What money is worth: weekly discount, share of what is open at the end, margin of a lost order, value bands."""

    discount_per_week: float
    open: float
    open_insolvent: float
    order_margin: float
    bands: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Price:
    """One contact: cost and annoyance in major units, and minutes.

    The annoyance is multiplied by the fatigue before the contact and by the inbox's value band: its yearly bills in
    units of the median inbox, within ``Worth.bands``.
    """

    cost: float
    annoyance: float = 0.0
    minutes: float = 0.0


@dataclass(frozen=True, slots=True)
class Effects:
    """True effects on the weekly log-odds of deciding, per type and arm, times ``scale``.

    A contact acts with ``carry`` in its week and the following ones, divided by (1 + ``fatigue`` x F), where F is the
    inbox's stock of contacts, ``keep`` of which remains each week. ``personal_sd`` is the spread between payers.
    """

    scale: float
    personal_sd: float
    carry: tuple[float, ...]
    fatigue: float
    keep: float
    by_type: Mapping[str, Mapping[str, float]]

    def table(self, types: tuple[str, ...]) -> Floats:
        """Effects in the order (types, ARMS), scale applied; 0 where the file says nothing."""
        rows = [[self.by_type.get(kind, {}).get(arm, 0.0) for arm in ARMS] for kind in types]
        return self.scale * np.array(rows)


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether a contact arrives, and what follows from that.

    ``bounce``, ``spam`` per mail; ``wrong_person`` of the inboxes until somebody is spoken to; ``lost`` texts and
    letters. A call is answered with ``answered`` (log-odds spread ``answered_sd``, ``per_attempt`` for each unanswered
    call before). It acts ``talked`` times when answered and ``voicemail`` times when not. ``reply`` of the mails that
    arrive are answered (``reply_disputed`` where a dispute was kept silent). ``sms_consent`` of the inboxes.
    """

    bounce: float
    spam: float
    wrong_person: float
    lost: float
    answered: float
    answered_sd: float
    per_attempt: float
    talked: float
    voicemail: float
    reply: float
    reply_disputed: float
    sms_consent: float


@dataclass(frozen=True, slots=True)
class Talk:
    """Promises from conversations: share, days ahead (mean, sd), days that hold the contact and days of grace.

    Hollow promises are ``hollow`` times as frequent as the type's share of kept ones asks for, since some sincere ones
    are broken by accident (part payments, cash that lies unapplied).
    """

    promise: float
    hollow: float
    days: float
    days_sd: float
    hold_days: int
    grace_days: int


@dataclass(frozen=True, slots=True)
class Annoyance:
    """Log-odds per message of opting out and of complaining (at F = 0, per F, for a firm tone) and what follows.

    After a complaint ``orders`` of the usual orders are placed for ``weeks``.
    """

    opt_out: float
    opt_out_fatigue: float
    opt_out_firm: float
    complaint: float
    complaint_fatigue: float
    complaint_firm: float
    complaint_factor: float
    orders: float
    weeks: int


@dataclass(frozen=True, slots=True)
class Quarrels:
    """Disputes: ``silent`` ones nobody knows of until a conversation tells (chance ``told``).

    A known one ends log-normally (``desk_days`` median, ``days_sd``) by the desk's own round; the right act
    (documents for ``documents`` of them, routing for the others) takes ``act_days`` instead. A wrong act adds
    ``wrong_act`` to F.
    """

    silent: float
    told: float
    documents: float
    desk_days: float
    act_days: float
    days_sd: float
    wrong_act: float


@dataclass(frozen=True, slots=True)
class Failing:
    """Insolvency per customer and week, times an industry factor exp(AR(1)); signs before it; recovery at most."""

    per_week: float
    industry_sd: float
    industry_memory: float
    signs_from: int
    signs_to: int
    signs_logit: float
    signs_orders: float
    recovery: float


@dataclass(frozen=True, slots=True)
class Purse:
    """Finite cash of the types in ``kinds``: weekly income in units of their mean weekly bills; stock in incomes."""

    on: bool
    kinds: tuple[str, ...]
    income: float
    stock: float


@dataclass(frozen=True, slots=True)
class Terms:
    """Discount offers: whether allowed, their size, days to take it, and waiting for the next one.

    ``waiting`` of the payers of ``kinds`` lower their log-odds by ``logit`` for ``weeks`` after an offer.
    """

    allowed: bool
    discount: float
    days: int
    taken: float
    waiting: float
    kinds: tuple[str, ...]
    logit: float
    weeks: int


@dataclass(frozen=True, slots=True)
class Drifting:
    """Slow change (type switch per week, random walk of the intercept) and the break of the world ``drift``."""

    switch_per_week: float
    walk_sd: float
    break_week: int
    sms_factor: float
    forgetful_to_cash: float
    new_runs: float


@dataclass(frozen=True, slots=True)
class People:
    """Collectors: how many, spread of skill, share of calls they move to big, bad accounts, weeks absent.

    ``judgement`` is the log-odds per standard deviation of true badness by which people chose whom to call in the
    history, before any policy.
    """

    collectors: int
    skill_sd: float
    deviate: float
    absent: float
    judgement: float


@dataclass(frozen=True, slots=True)
class Rules:
    """The mask: tone by days overdue, days listed before due, calls as a share of customers per week."""

    neutral_from_days: int
    firm_from_days: int
    listed_before_days: int
    calls_per_customer_week: float


@dataclass(frozen=True, slots=True)
class Stage:
    """What a world shows for certain, whatever the seed: see ``stage``. Weeks count from the start of the policies.

    ``largest`` customers get ``largest_share`` of all bills each; the next one declines from week ``declines_from``
    on, and one more fails in ``fails_in`` after ``signs_weeks`` of signs. ``group_of`` customers belong to one parent.
    ``moved`` maps a country to shares of its customers that live elsewhere. Amounts are multiplied by ``price_factor``
    from ``price_from`` on. ``events`` say what everybody in the house knows, for the truth.
    """

    largest: int
    largest_share: float
    declines_from: int
    group_of: int
    fails_in: int
    signs_weeks: int
    moved: Mapping[str, Mapping[str, float]]
    price_from: date
    price_factor: float
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Living:
    """A whole world: ``company`` says who buys and pays, the parts what contacts do. See the parts."""

    name: str
    about: str
    company: World
    span: Span
    worth: Worth
    prices: Mapping[str, Price]
    effects: Effects
    reach: Reach
    talk: Talk
    annoyance: Annoyance
    quarrels: Quarrels
    failing: Failing
    purse: Purse
    terms: Terms
    drifting: Drifting
    people: People
    rules: Rules
    stage: Stage | None = None

    def priced(self) -> tuple[Floats, Floats, Floats]:
        """Cost, annoyance and minutes per arm, in the order of ARMS."""
        prices = [self.prices.get(arm, Price(0.0)) for arm in ARMS]
        cost, annoyance, minutes = ([getattr(one, what) for one in prices] for what in ("cost", "annoyance", "minutes"))
        return np.array(cost), np.array(annoyance), np.array(minutes)

    def as_json(self) -> dict[str, Any]:
        """All parameters as plain values, dates as ISO text."""
        plain = asdict(self)
        plain["company"] = self.company.as_json()
        plain["span"]["starts_on"] = self.span.starts_on.isoformat()
        if self.stage is None:
            del plain["stage"]  # a world without one is the same world as before there were any
        else:
            plain["stage"]["price_from"] = self.stage.price_from.isoformat()
        return plain


def living_names() -> tuple[str, ...]:
    """The names of all living worlds that are shipped, sorted."""
    folder = resources.files(__package__).joinpath("worlds")
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load_living(name: str, changes: Mapping[str, Any] | None = None) -> Living:
    """The living world of that name with ``changes`` (as in a file) put over it.

    Raises UsageError for an unknown name, listing those that exist, and ValueError for an impossible value.
    """
    known = living_names()
    if name not in known:
        raise UsageError(f"unknown world {name!r}: expected one of {', '.join(known)}")
    return living_from(over(living_values(name), dict(changes or {})))


def living_values(name: str) -> dict[str, Any]:
    """The plain values of a shipped world with everything that it is based on."""
    text = resources.files(__package__).joinpath("worlds").joinpath(f"{name}.toml").read_text("utf-8")
    own = tomllib.loads(text)
    parent = own.pop("based_on", None)
    own["name"] = name
    return own if parent is None else over(living_values(parent), own)


def living_from(values: Mapping[str, Any]) -> Living:
    """A world from plain values. Raises ValueError for a missing, unknown or impossible value.

    Raises UsageError for too few customers for a stage.
    """
    own = dict(values)
    company = over(world_values(own.pop("company")), own.pop("changes", {}))
    own["prices"] = {arm: build(Price, each, where=f"world.prices.{arm}") for arm, each in own["prices"].items()}
    if "stage" in own:
        own["stage"] = build(Stage, own["stage"], where="world.stage")
    world: Living = build(Living, own | {"company": company}, where="world")
    strange = {arm for row in world.effects.by_type.values() for arm in row} | set(world.prices)
    if unknown := sorted(strange - set(ARMS)):
        raise ValueError(f"world: unknown arm {unknown[0]!r}; expected one of {', '.join(ARMS)}")
    if unknown := sorted(set(world.effects.by_type) - set(world.company.types)):
        raise ValueError(f"world.effects: unknown type {unknown[0]!r}; expected {', '.join(world.company.types)}")
    if world.stage is not None and world.company.customers < STAGE_CUSTOMERS:
        have = world.company.customers
        raise UsageError(f"world {world.name} needs at least {STAGE_CUSTOMERS} customers for its stage, got {have}")
    if world.span.starts_on.weekday() != 0:
        raise ValueError(f"world.span.starts_on: {world.span.starts_on} is no Monday")
    return world
