"""``Nature``: everything about the payers that no policy can change, drawn once for a seed and never shown to one.

Types and intercepts week by week, pay-runs, personal effects, insolvencies, latent disputes, who answers calls. Every
draw is keyed by (seed, mechanism, payer or invoice, week), so that a mechanism switched off moves no other draw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duecourse.core.ids import key_codes, uniform
from duecourse.ledger.schema import ARMS
from duecourse.science.simulate.customers import Codes, Customers, choose, make_customers, normal, parents
from duecourse.science.simulate.hazards import Decidable, decidable
from duecourse.science.simulate.living.inboxes import FAR, Flags, Inboxes
from duecourse.science.simulate.living.spec import ARM, Living
from duecourse.science.simulate.living.stage import staged_customers, staged_inboxes, staged_orders
from duecourse.science.simulate.names import INDUSTRIES
from duecourse.science.simulate.orders import Orders, make_orders
from duecourse.science.simulate.pay_calendar import Floats, Ints, PayCalendar, day_number, pay_calendar, to_date


@dataclass(frozen=True)
class Latent:
    """One entry per invoice: what a dispute would be, were one opened, and how a payment would be split."""

    silent: Flags
    documents: Flags
    whole: Flags
    disputed_share: Floats
    granted_share: Floats
    split: Flags
    first_share: Floats
    short_share: Floats
    recovery: Floats


@dataclass(frozen=True)
class Nature:
    """See the module. ``start_week`` is the first week of policies; weeks count as in ``pay_calendar``."""

    world: Living
    seed: int
    calendar: PayCalendar
    customers: Customers
    point: Ints
    inboxes: Inboxes
    orders: Orders
    decidable: Decidable
    invoice_point: Ints
    latent: Latent
    first_week: int
    start_week: int
    last_week: int
    effects: Floats
    skill: Floats

    @property
    def invoices(self) -> int:
        """Number of invoices that would be issued if nobody ever ordered less."""
        return int(self.orders.customer.size)

    def theta(self, week: int) -> Floats:
        """The true effects of one contact of each arm on each contact point in that week, shape (P, ARMS)."""
        own = self.effects[self.inboxes.kind[week - self.first_week]]
        theta: Floats = own + self.inboxes.personal * (own != 0)
        drifting = self.world.drifting
        if 0 <= drifting.break_week <= week - self.start_week:
            theta[:, ARM["sms_soft"]] *= drifting.sms_factor
        return theta


def make_nature(world: Living, seed: int, weeks: int) -> Nature:
    """The nature of ``world`` for its history, ``weeks`` weeks of arrivals and the weeks they are followed."""
    company, span = world.company, world.span
    start_day = day_number(span.starts_on)
    start_week = (start_day + 3) // 7
    first_week, last_week = start_week - span.history_weeks, start_week + weeks + span.follow_weeks
    book = (first_week * 7 - 3, last_week * 7 + 4)
    calendar = pay_calendar(company, to_date(book[0]), to_date(book[1]))
    customers = staged_customers(world.stage, make_customers(company, company.customers, seed), seed)
    orders = staged_orders(world.stage, make_orders(company, customers, calendar, book, seed=seed))
    point, head = contact_points(customers, seed)
    inboxes = _inboxes(world, seed, customers, point, head, span=(first_week, start_week, last_week))
    inboxes = staged_inboxes(world, inboxes, point, customers, weeks=(first_week, start_week), seed=seed)
    codes = key_codes([f"collector {number}" for number in range(world.people.collectors)])
    return Nature(
        world=world, seed=seed, calendar=calendar, customers=customers, point=point, inboxes=inboxes, orders=orders,
        decidable=decidable(company, orders.issued, orders.due), invoice_point=point[orders.customer],
        latent=_latent(world, seed, orders.codes), first_week=first_week, start_week=start_week, last_week=last_week,
        effects=world.effects.table(tuple(company.types)),
        skill=np.maximum(1 + world.people.skill_sd * normal(seed, "skill", codes), 0.2),
    )  # fmt: skip


def contact_points(customers: Customers, seed: int) -> tuple[Ints, Ints]:
    """The contact point of each customer, and the customer that stands for each contact point (its first)."""
    owners = [parent or own for parent, own in zip(parents(customers, seed), customers.ids, strict=True)]
    _, head, point = np.unique(np.array(owners), return_index=True, return_inverse=True)
    # np.unique sorts by name; number the points by their first customer so that more customers move nobody.
    rank = np.empty(head.size, dtype=np.int64)
    order = np.argsort(head)
    rank[order] = np.arange(head.size)
    return rank[point].astype(np.int64), head[order].astype(np.int64)


def _inboxes(
    world: Living, seed: int, customers: Customers, point: Ints, head: Ints, *, span: tuple[int, int, int]
) -> Inboxes:
    codes, reach = customers.codes[head], world.reach
    fails, signs = _failures(world, seed, codes, span)
    bills: Floats = np.bincount(point, customers.weekly_rate * customers.mean_amount, minlength=head.size).astype(
        np.float64
    )
    personal = np.stack([normal(seed, f"personal {arm}", codes) for arm in ARMS], axis=1)

    def chance(stream: str, share: float) -> Flags:
        hit: Flags = uniform(seed, stream, codes) < share
        return hit

    return Inboxes(
        codes=codes,
        kind=_kinds(world, seed, codes, customers.kind[head], span=span),
        drift=_walk(world, seed, codes, span),
        schedule=_schedules(world, seed, customers, head, span=span),
        personal=world.effects.personal_sd * personal,
        fails_week=fails,
        signs_week=signs,
        answers=reach.answered_sd * normal(seed, "answers", codes),
        wrong_person=chance("wrong person", reach.wrong_person),
        sms_consent=chance("text consent", reach.sms_consent),
        waits=chance("waits", world.terms.waiting),
        collector=(world.people.collectors * uniform(seed, "collector", codes)).astype(np.int64),
        weekly_bills=bills,
        band=np.clip(bills / np.median(bills), *world.worth.bands),
    )


def _kinds(world: Living, seed: int, codes: Codes, kind: Ints, *, span: tuple[int, int, int]) -> Ints:
    """Type of each point in each week: switches by chance, and the break of a drifting world."""
    first, start, last = span
    drifting, names = world.drifting, list(world.company.types)
    mix = [each.mix for each in world.company.types.values()]
    kinds = np.empty((last - first + 2, codes.size), dtype=np.int64)
    for week in range(first, last + 2):
        switches = uniform(seed, "type switch", codes, week) < drifting.switch_per_week
        kind = np.where(switches, choose(uniform(seed, "new type", codes, week), mix), kind)
        if 0 <= drifting.break_week == week - start:
            poorer = (kind == names.index("forgetful")) & (uniform(seed, "break", codes) < drifting.forgetful_to_cash)
            kind = np.where(poorer, names.index("cash"), kind)
        kinds[week - first] = kind
    return kinds


def _walk(world: Living, seed: int, codes: Codes, span: tuple[int, int, int]) -> Floats:
    steps = np.stack([normal(seed, f"walk {week}", codes) for week in range(span[0], span[2] + 2)])
    walk: Floats = world.drifting.walk_sd * np.cumsum(steps, axis=0)
    return walk


def _schedules(world: Living, seed: int, customers: Customers, head: Ints, *, span: tuple[int, int, int]) -> Ints:
    first, start, last = span
    own = customers.schedule[head]
    schedule = np.repeat(own[None], last - first + 2, axis=0)
    drifting = world.drifting
    if drifting.break_week >= 0:
        codes = customers.codes[head]
        moved = uniform(seed, "new run", codes) < drifting.new_runs
        other = customers.schedule[(uniform(seed, "whose run", codes) * customers.codes.size).astype(np.int64)]
        schedule[max(start - first + drifting.break_week, 0) :] = np.where(moved, other, own)
    return schedule


def _failures(world: Living, seed: int, codes: Codes, span: tuple[int, int, int]) -> tuple[Ints, Ints]:
    failing = world.failing
    industry = (len(INDUSTRIES) * uniform(seed, "customer industry", codes)).astype(np.int64)
    level = np.zeros(len(INDUSTRIES))
    fails = np.full(codes.size, FAR, dtype=np.int64)
    memory, own = failing.industry_memory, key_codes(INDUSTRIES)
    for week in range(span[0], span[2] + 2):
        level = memory * level + np.sqrt(1 - memory**2) * normal(seed, f"industry {week}", own)
        factor = np.exp(failing.industry_sd * level - failing.industry_sd**2 / 2)
        hit = uniform(seed, "insolvent", codes, week) < failing.per_week * factor[industry]
        fails = np.where(hit & (fails == FAR), week, fails)
    length = failing.signs_to - failing.signs_from + 1
    signs = failing.signs_from + (length * uniform(seed, "signs", codes)).astype(np.int64)
    return fails, np.where(fails == FAR, FAR, fails - signs)


def _latent(world: Living, seed: int, codes: Codes) -> Latent:
    company, quarrels = world.company, world.quarrels

    def draw(stream: str) -> Floats:
        return uniform(seed, stream, codes)

    whole = draw("dispute whole") < company.disputing.whole
    verdict = draw("dispute verdict")
    valid = np.where(whole, 0.0, np.select([verdict < 0.5, verdict < 0.7], [1.0, 0.3], 0.0))
    return Latent(
        silent=draw("silent") < quarrels.silent,
        documents=draw("documents") < quarrels.documents,
        whole=whole,
        disputed_share=np.where(whole, 1.0, 0.1 + 0.3 * draw("dispute share")),
        granted_share=np.where(whole & (verdict >= 0.4) & (verdict < 0.8), 0.1 + 0.4 * draw("dispute grant"), valid),
        split=draw("part") < company.cash.part,
        first_share=0.3 + 0.6 * draw("part share"),
        short_share=np.where(draw("short") < company.cash.short, 0.01 + 0.03 * draw("short share"), 0.0),
        recovery=world.failing.recovery * draw("recovery"),
    )
