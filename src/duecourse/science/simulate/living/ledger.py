"""``ledger_of``: the books of a house on its Monday as a ``Ledger``, so that it can be planned for from outside.

Write it, let ``duecourse plan`` decide, give the decisions back by ``decided_from`` and ``house.apply``, and repeat.
What later Mondays write repeats what earlier ones wrote, number for number; nothing that happens later is in it.
"""

from __future__ import annotations

import json

import numpy as np
import polars as pl

from duecourse.core.ids import uniform
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.schema import ARMS
from duecourse.science.simulate.books import (
    Company,
    closing_allocations,
    credit_table,
    days,
    dispute_table,
    invoice_table,
    moments,
    payment_tables,
)
from duecourse.science.simulate.claims import INVALID, NO_OUTCOME, PARTLY_VALID, VALID, WITHDRAWN, Claims
from duecourse.science.simulate.customers import contact_frame, customer_frame, parents
from duecourse.science.simulate.fates import NEVER, Fates, Promised
from duecourse.science.simulate.living.book import Decided
from duecourse.science.simulate.living.house import House
from duecourse.science.simulate.living.inboxes import Flags
from duecourse.science.simulate.living.state import DISPUTED, RESOLVED
from duecourse.science.simulate.living.view import CALLS, FIRM, open_amount
from duecourse.science.simulate.orders import Orders, paired
from duecourse.science.simulate.pay_calendar import Floats, Ints

CHANNEL_OF = {"sms_soft": "sms", "letter_formal": "letter"}
PLAN_HOUR, CONTACT_HOUR = 7, 9
SHORT_CREDITED_DAYS = 21


def ledger_of(house: House) -> Ledger:
    """Everything the books of ``house`` knew at the start of its Monday."""
    company = company_of(house)
    customers = customer_frame(company.customers, company.seed)
    credit = credit_table(company)
    payments, allocations = payment_tables(company)
    closing = closing_allocations(company, credit).select(allocations.columns)
    return Ledger.from_frames({
        "customers": customers,
        "contacts": _contacts(house, customers["name"]),
        "invoices": invoice_table(company),
        "credits": credit,
        "payments": payments,
        "allocations": allocations.vstack(closing).vstack(_discounts(company).select(allocations.columns)),
        "activities": _activities(house, company),
        "promises": _promises(house, company),
        "disputes": dispute_table(company),
        "decisions": _decisions(house, company),
    })  # fmt: skip


def point_ids(house: House) -> list[str]:
    """The id by which a plan names each contact point: the parent's, else the customer's."""
    nature = house.nature
    owners = parents(nature.customers, nature.seed)
    names = [""] * nature.inboxes.count
    for own, parent, point in zip(nature.customers.ids, owners, nature.point.tolist(), strict=True):
        names[point] = parent or own
    return names


def decided_from(house: House, decisions: pl.DataFrame) -> Decided:
    """The decisions of a plan (``customer_id``, ``arm``, ``propensities`` as JSON) as the house takes them.

    Raises ValueError for a customer that the house does not have or an arm that does not exist.
    """
    place = {name: point for point, name in enumerate(point_ids(house))}
    names, arms = decisions["customer_id"].to_list(), decisions["arm"].to_list()
    if strange := [name for name in names if name not in place]:
        raise ValueError(f"decision for {strange[0]!r}, which is no contact point of this house")
    if strange := [arm for arm in arms if arm not in ARMS]:
        raise ValueError(f"unknown arm {strange[0]!r}; expected one of {', '.join(ARMS)}")
    chances = [json.loads(text) for text in decisions["propensities"].to_list()]
    propensities = np.array([[chance.get(arm, 0.0) for arm in ARMS] for chance in chances]).reshape(-1, len(ARMS))
    codes = np.array([ARMS.index(arm) for arm in arms], dtype=np.int64)
    return Decided(np.array([place[name] for name in names], dtype=np.int64), codes, propensities)


def placed_rows(house: House) -> Ints:
    """Rows of ``nature.orders`` that are in the books, in the order of ``Book`` and of the invoice numbers."""
    known = int(np.searchsorted(house.nature.orders.issued, house.week * 7 - 3))
    return np.flatnonzero(house.state.placed[:known])


def company_of(house: House) -> Company:
    """What the books show of ``house``, as the writers of ledger tables take it."""
    nature, rows = house.nature, placed_rows(house)
    orders = nature.orders
    placed = Orders(
        orders.customer[rows], orders.codes[rows], orders.issued[rows], orders.due[rows], orders.amount_minor[rows]
    )
    book = (nature.first_week * 7 - 3, house.week * 7 - 3)
    fates, claims = _fates(house, rows), _claims(house, rows)
    return Company(nature.world.company, nature.seed, book, nature.customers, placed, fates, claims)


def _gone(house: House, rows: Ints) -> Flags:
    """Invoices that were handed over before any money came."""
    handed, received = house.state.handed_over[rows], house.state.received[rows]
    gone: Flags = (handed != NEVER) & ((received == NEVER) | (received >= handed))
    return gone


def _fates(house: House, rows: Ints) -> Fates:
    """Payments as they are; what was handed over before money came is written off and ends there."""
    state, latent, gone = house.state, house.nature.latent, _gone(house, rows)

    def kept(day: Ints) -> Ints:
        return np.where(gone, NEVER, day[rows])

    split = (state.rest_posted[rows] != NEVER) & ~gone
    empty = np.zeros(0, dtype=np.int64)
    return Fates(
        decided=kept(state.decided), received=kept(state.received), posted=kept(state.posted),
        part=np.where(split, latent.first_share[rows], 1.0), rest_received=kept(state.rest_received),
        rest_posted=kept(state.rest_posted), cleared=kept(state.paid),
        written_off=np.where(gone, state.handed_over[rows], state.written_off[rows]),
        dispute_opened=state.dispute_known[rows],
        dispute_resolved=np.where(state.dispute[rows] == RESOLVED, state.dispute_ends[rows], NEVER),
        promised=Promised(empty, empty, empty, empty),
    )  # fmt: skip


def _claims(house: House, rows: Ints) -> Claims:
    nature, state = house.nature, house.state
    amount, latent = nature.orders.amount_minor[rows], nature.latent
    owed = open_amount(nature, state, rows).astype(np.int64)
    resolved, known = state.dispute[rows] == RESOLVED, state.dispute_known[rows] != NEVER
    paid = np.where(_gone(house, rows), NEVER, state.paid[rows])
    dropped = known & (state.dispute[rows] == DISPUTED) & (paid != NEVER)
    granted = latent.granted_share[rows]
    verdict = np.select([granted >= 1, granted > 0], [VALID, PARTLY_VALID], INVALID)
    never = np.full(rows.size, NEVER, dtype=np.int64)
    short = np.where(paid != NEVER, np.round(owed * latent.short_share[rows]), 0).astype(np.int64)
    taken = _discount_minor(house, rows, owed - short)
    paid_on = np.maximum(paid, nature.calendar.first_day)
    credited = nature.calendar.next_business[paid_on + SHORT_CREDITED_DAYS - nature.calendar.first_day]
    return Claims(
        note_on=never, note_minor=np.zeros(rows.size, dtype=np.int64),
        disputed_minor=np.where(known, np.round(amount * latent.disputed_share[rows]), 0).astype(np.int64),
        dispute_closed=np.where(resolved & known, state.dispute_ends[rows], np.where(dropped, paid, NEVER)),
        dispute_outcome=np.where(resolved, verdict, np.where(dropped, WITHDRAWN, NO_OUTCOME)),
        dispute_credit_minor=amount - owed, short_minor=short,
        short_credited=np.where(short > 0, credited, NEVER), payable_minor=owed - short - taken,
    )  # fmt: skip


def _discount_minor(house: House, rows: Ints, payable: Ints) -> Ints:
    """What a payer kept as discount: of its first payment, as in ``outcome.money``."""
    latent, state = house.nature.latent, house.state
    split = state.rest_posted[rows] != NEVER
    first = np.where(split, latent.first_share[rows], 1.0) * payable
    kept = np.where(state.discounted[rows] & ~split, house.nature.world.terms.discount * first, 0.0)
    minor: Ints = np.round(kept).astype(np.int64)
    return minor


def _discounts(company: Company) -> pl.DataFrame:
    claims, fates = company.claims, company.fates
    taken = company.orders.amount_minor - claims.dispute_credit_minor - claims.short_minor - claims.payable_minor
    rows = np.flatnonzero((taken > 0) & (fates.posted != NEVER) & (fates.posted < company.book[1]))
    ids = [company.orders.ids[row] for row in rows]
    return pl.DataFrame({
        "allocation_id": [f"DS-{each.removeprefix('INV-')}" for each in ids], "invoice_id": ids,
        "source_kind": ["discount"] * rows.size, "applied_on": days(fates.posted[rows]), "amount_minor": taken[rows],
        "source_id": pl.Series(values=[None] * rows.size, dtype=pl.String),
        "recorded_at": moments(fates.posted[rows], 18),
    }, schema_overrides=dict.fromkeys(("allocation_id", "invoice_id", "source_kind"), pl.String))  # fmt: skip


def _contacts(house: House, names: pl.Series) -> pl.DataFrame:
    """The people, with the house's consents; who opted out has a second version from that day on."""
    nature, state = house.nature, house.state
    people = contact_frame(nature.customers, names, nature.seed)
    at = {name: row for row, name in enumerate(nature.customers.ids)}
    point = nature.point[np.array([at[name] for name in people["customer_id"].to_list()])]
    sms = np.where(nature.inboxes.sms_consent[point], "granted", "unknown")
    first = people.with_columns(
        pl.lit("granted").alias("email_consent"), pl.Series("sms_consent", sms),
        pl.lit("granted").alias("call_consent"), pl.lit(None).cast(pl.Datetime("us", "UTC")).alias("recorded_at"),
    )  # fmt: skip
    day = np.full(nature.inboxes.count, NEVER, dtype=np.int64)
    opted = state.complaints.ints("kind") == 0
    day[state.complaints.ints("point")[opted]] = state.complaints.ints("day")[opted]
    second = first.with_columns(
        pl.lit("withdrawn").alias("email_consent"), pl.lit("unknown").alias("sms_consent"),
        moments(np.maximum(day[point], 0), CONTACT_HOUR + 2).alias("recorded_at"),
    ).filter(pl.Series(values=day[point] != NEVER))  # fmt: skip
    return pl.concat([first, second])


def heads(house: House) -> list[str]:
    """The customer that stands for each contact point: its first."""
    _, head = np.unique(house.nature.point, return_index=True)
    return [house.nature.customers.ids[at] for at in head.tolist()]


def _asked(house: House, company: Company, week: Ints, point: Ints) -> pl.Series:
    """The invoices that a message of these weeks to these points listed: open, overdue or nearly due."""
    orders, fates = company.orders, company.fates
    owner = house.nature.point[orders.customer]
    ids = np.array(orders.ids)
    before = house.nature.world.rules.listed_before_days
    parts = []
    for each in np.unique(week).tolist():
        monday = each * 7 - 3
        is_open = (orders.issued < monday) & (orders.due <= monday + before)
        for day in (fates.cleared, fates.written_off):
            is_open &= (day == NEVER) | (day >= monday)
        rows = np.flatnonzero(is_open & np.isin(owner, point[week == each]))
        parts.append(pl.DataFrame({"week": np.full(rows.size, each), "point": owner[rows], "id": ids[rows]}))
    keys = pl.DataFrame({"week": week, "point": point})
    if not parts:
        return pl.Series(values=[], dtype=pl.List(pl.String))
    lists = pl.concat(parts).group_by("week", "point", maintain_order=True).agg(pl.col("id"))
    return keys.join(lists, on=["week", "point"], how="left", maintain_order="left")["id"]


def _activities(house: House, company: Company) -> pl.DataFrame:
    state, stand_for = house.state, np.array(heads(house))
    log = state.contacts
    point, day, arm = log.ints("point"), log.ints("day"), log.ints("arm")
    known = np.flatnonzero(day < company.book[1])
    point, day, arm = point[known], day[known], arm[known]
    reached = log.ints("reached")[known]
    channel = np.array([CHANNEL_OF.get(name, "call" if name.startswith("call") else "email") for name in ARMS])[arm]
    replied = {*zip(state.replies.ints("point").tolist(), state.replies.ints("day").tolist(), strict=True)}
    answers = np.array([pair in replied for pair in zip(point.tolist(), day.tolist(), strict=True)], dtype=bool)
    outcome = np.select([reached == 1, reached == 0, answers], ["reached", "voicemail", "replied"], "delivered")
    tone = np.where(np.isin(arm, FIRM), "firm", np.where(arm == ARMS.index("email_neutral"), "neutral", "soft"))
    minutes = house.capacity.minutes[arm]
    codes = house.nature.inboxes.codes[point]
    minute = (400 * uniform(house.nature.seed, "contact minute", paired(codes, day))).astype(np.int64)
    when = moments(day, CONTACT_HOUR + minute // 60, minute % 60)
    made = {
        (who, when): f"DEC-{number + 1:07d}"
        for number, (who, when) in enumerate(
            zip(state.decisions.ints("point").tolist(), state.decisions.ints("day").tolist(), strict=True)
        )
    }
    human, who = log["human"][known].tolist(), zip(point.tolist(), day.tolist(), strict=True)
    decisions = [None if own else made.get(pair) for pair, own in zip(who, human, strict=True)]
    return pl.DataFrame({
        "activity_id": [f"ACT-{number + 1:07d}" for number in range(known.size)],
        "customer_id": pl.Series(values=stand_for[point], dtype=pl.String),
        "channel": pl.Series(values=channel, dtype=pl.String), "direction": ["out"] * known.size,
        "decision_id": pl.Series(values=decisions, dtype=pl.String), "occurred_at": when,
        "invoice_ids": _asked(house, company, (day + 3) // 7, point),
        "tone": pl.Series(values=tone, dtype=pl.String),
        "template": pl.Series(values=np.char.add("house_", np.array(ARMS)[arm]), dtype=pl.String),
        "minutes": np.where(np.isin(arm, CALLS), minutes, 0.0), "outcome": pl.Series(values=outcome, dtype=pl.String),
        "recorded_at": when,
    }, schema_overrides={"activity_id": pl.String, "direction": pl.String})  # fmt: skip


def _promises(house: House, company: Company) -> pl.DataFrame:
    state, placed = house.state, placed_rows(house)
    place = np.full(house.nature.invoices, NEVER, dtype=np.int64)
    place[placed] = np.arange(placed.size)
    log = state.promises
    rows, made, due = place[log.ints("invoice")], log.ints("made"), log.ints("due")
    items = pl.DataFrame({
        "row": rows, "customer": company.orders.customer[rows], "made": made, "due": due,
        "amount_minor": (company.orders.amount_minor - company.claims.dispute_credit_minor)[rows],
        "invoice_id": np.array(company.orders.ids, dtype=np.str_)[rows],
    }, schema_overrides={"invoice_id": pl.String}).sort("made", "customer", "due", "row")  # fmt: skip
    grouped = items.group_by("made", "customer", "due", maintain_order=True).agg(
        pl.col("amount_minor").sum(), pl.col("invoice_id").alias("invoice_ids")
    )
    owner, day = grouped["customer"].to_numpy(), grouped["made"].to_numpy()
    return grouped.select(
        (pl.lit("PROM-") + pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(6)).alias("promise_id"),
        pl.Series("customer_id", np.array(company.customers.ids)[owner], dtype=pl.String),
        days(day).alias("promised_on"),
        days(grouped["due"].to_numpy()).alias("due_on"),
        "amount_minor",
        pl.Series("currency", np.array(company.customers.currencies)[owner], dtype=pl.String),
        "invoice_ids",
        pl.lit("call").alias("source"),
        moments(day, CONTACT_HOUR + 8).alias("recorded_at"),
    )


def _decisions(house: House, company: Company) -> pl.DataFrame:
    """The decision log: one row per decided contact point, arms that were masked kept apart from the drawn ones."""
    log, names = house.state.decisions, np.array(point_ids(house))
    point, day, arm = log.ints("point"), log.ints("day"), log.ints("arm")
    done, chance = log.ints("executed"), log["propensities"].astype(np.float64)
    allowed = log["allowed"].astype(bool)
    currency = np.array(company.customers.currencies)[np.unique(house.nature.point, return_index=True)[1]]
    at = moments(day, PLAN_HOUR)
    return pl.DataFrame({
        "decision_id": [f"DEC-{number + 1:07d}" for number in range(point.size)], "decided_at": at,
        "customer_id": pl.Series(values=names[point], dtype=pl.String),
        "invoice_ids": _asked(house, company, (day + 3) // 7, point),
        "arm": pl.Series(values=np.array(ARMS)[arm], dtype=pl.String), "propensity": chance[np.arange(arm.size), arm],
        "propensities": [_json(row, which) for row, which in zip(chance, allowed, strict=True)],
        "masked": [_masked(which) for which in allowed], "policy": ["simulated"] * point.size,
        "policy_version": ["simulated/1"] * point.size, "seed": [house.nature.seed] * point.size,
        "currency": pl.Series(values=currency[point], dtype=pl.String),
        "cluster_id": pl.Series(values=names[point], dtype=pl.String), "epoch_kind": ["scheduled"] * point.size,
        "executed_arm": pl.Series(values=np.array(ARMS)[done], dtype=pl.String),
        "executed_at": moments(day, CONTACT_HOUR),
        "not_executed_reason": pl.Series(
            values=["person" if undone else None for undone in (done != arm).tolist()], dtype=pl.String
        ),
        "stratum": ["policy"] * point.size, "recorded_at": at,
    }, schema_overrides=dict.fromkeys(
        ("decision_id", "propensities", "masked", "policy", "policy_version", "epoch_kind", "stratum"), pl.String,
    ))  # fmt: skip


def _json(chance: Floats, allowed: Flags) -> str:
    shown = {name: float(chance[at]) for at, name in enumerate(ARMS) if allowed[at]}
    return json.dumps(shown, separators=(",", ":"))


def _masked(allowed: Flags) -> str:
    shown = {name: "the house's mask" for at, name in enumerate(ARMS) if not allowed[at]}
    return json.dumps(shown, separators=(",", ":"))
