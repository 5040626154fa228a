"""``plan``: who to contact, how, when and why; and for everybody else, why not. Deterministic for a view and a seed."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import polars as pl

from duecourse.core.ids import key_codes, sha256_hex, uniform
from duecourse.ledger.as_of import View, start_of_day
from duecourse.ledger.autonomy import HELD_OUT, KILL_SWITCH_POLICY, POLICY
from duecourse.ledger.schema import ARMS, TABLES
from duecourse.science.decisions.autonomy import DEFAULT_AUTONOMY, Autonomy, Standing, execution, standing_of
from duecourse.science.decisions.capacity import Capacity
from duecourse.science.decisions.contact_points import PredictionFrames, gather
from duecourse.science.decisions.figures import Figures
from duecourse.science.decisions.learned.nested import HOURS
from duecourse.science.decisions.log import LogContext, decision_id, decision_row
from duecourse.science.decisions.people import needs_human
from duecourse.science.decisions.policies import Proposal, policy_version, spread_mails
from duecourse.science.decisions.proposals import all_proposals
from duecourse.science.decisions.schedule import send_at, zones
from duecourse.science.decisions.stake import assumed_gain
from duecourse.science.decisions.why import why

Drafter = Callable[[View, pl.DataFrame], Mapping[str, str]]

# What stands behind a decision of the learned policy (``Figures``); empty under the others.
LEARNED_COLUMNS: dict[str, pl.DataType] = {
    "cash_alone_minor": pl.Int64(), "cash_with_minor": pl.Int64(), "cash_p10_minor": pl.Int64(),
    "cash_p90_minor": pl.Int64(), "second_best": pl.String(), "second_best_gap_minor": pl.Int64(),
    "chosen_how": pl.String(), "reasons": pl.String(), "relationship_minor": pl.Int64(), "event_minor": pl.Int64(),
    "events": pl.String(),
}  # fmt: skip
# What is offered by an act that offers terms; empty for all others.
TERMS_COLUMNS: dict[str, pl.DataType] = {
    "terms": pl.String(), "offer_percent": pl.Float64(), "offer_by": pl.Date(), "offer_yearly_cost": pl.Float64(),
    "plan_instalments": pl.Int64(), "plan_by": pl.Date(), "plan_first_percent": pl.Float64(),
}  # fmt: skip
WORKLIST_SCHEMA: dict[str, pl.DataType] = {
    "rank": pl.Int64(), "customer_id": pl.String(), "name": pl.String(), "open_minor": pl.Int64(),
    "collectible_minor": pl.Int64(), "days_late_max": pl.Int64(), "arm": pl.String(), "contact_id": pl.String(),
    "send_at": pl.Datetime("us", "UTC"), "why": pl.String(), "expected_gain_minor": pl.Int64(),
    "minutes": pl.Float64(), "gain_per_hour_minor": pl.Int64(), "draft": pl.String(), "needs_human": pl.String(),
    # beyond the contract
    "currency": pl.String(), "decision_id": pl.String(), "invoice_ids": pl.List(pl.String()),
    "asked_minor": pl.Int64(), "stake_minor": pl.Int64(), "disputed_minor": pl.Int64(), "paid_soon": pl.Float64(),
    "usual_days_late": pl.Int64(), "beyond_habit_days": pl.Int64(), "send_at_zone": pl.String(),
    "execution": pl.String(), "autonomy_level": pl.Int64(), "stratum": pl.String(), **LEARNED_COLUMNS, **TERMS_COLUMNS,
}  # fmt: skip
NOT_WORKED_SCHEMA: dict[str, pl.DataType] = {
    "customer_id": pl.String(), "name": pl.String(), "open_minor": pl.Int64(), "collectible_minor": pl.Int64(),
    "currency": pl.String(), "days_late_max": pl.Int64(), "paid_soon": pl.Float64(), "reason": pl.String(),
    "detail": pl.String(),
}  # fmt: skip
RESOLUTION_SCHEMA: dict[str, pl.DataType] = {
    "rank": pl.Int64(), "customer_id": pl.String(), "name": pl.String(), "currency": pl.String(),
    "open_disputes": pl.Int64(), "unowned_disputes": pl.Int64(), "disputed_minor": pl.Int64(),
    "cash_at_stake_minor": pl.Int64(), "minutes": pl.Float64(), "decided_arm": pl.String(),
}  # fmt: skip
_DRAFTED = ("email_", "sms_", "call_", "letter_", "send_documents")


@dataclass(frozen=True)
class Plan:
    """The plan as frames; every contact point with an open invoice is in exactly one of worklist and not_worked.

    ``decisions``: the decision log, one row per contact point that had its turn, ``none`` included, by customer_id.
    ``worklist``: who to contact, by rank. ``not_worked``: everybody else with reason (deferred / self_cure / masked /
    capacity / nothing_collectible / no_gain) and a sentence, by customer_id. ``resolution``: the resolution queue,
    every contact point with open disputes by cash at stake per minute, whatever was decided for it: a dispute must be
    settled even while the undisputed rest is asked for. ``drafts``: file name -> text.
    ``assumptions``: what is assumed and not measured, one line each, to be shown with the plan. ``policy``: who decided
    for all but the holdout, the ladder where the policy that was asked for could not.
    """

    decisions: pl.DataFrame
    worklist: pl.DataFrame
    not_worked: pl.DataFrame
    resolution: pl.DataFrame
    drafts: Mapping[str, str] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    policy: str = ""

    def day_view(self) -> list[str]:
        """customer_id in the order of one merged view: resolution queue, questions, contacts, then those left alone.

        Those who are left alone stand by days late, latest first.
        """
        rest = self.not_worked.sort(["days_late_max", "customer_id"], descending=[True, False])
        return [*self.worklist.get_column("customer_id"), *rest.get_column("customer_id")]


def plan(view: View, prediction: PredictionFrames, *, policy: str, capacity: Capacity, seed: int,
         autonomy: Autonomy = DEFAULT_AUTONOMY, drafter: Drafter | None = None) -> Plan:  # fmt: skip
    """The plan for ``view``: same view, capacity, policy, autonomy and seed give equal frames and drafts.

    ``prediction`` has ``scores`` and ``curves`` in the columns of the contract and covers every open invoice.
    ``autonomy`` names the holdout, what may be done without a person, and the kill switch.
    ``drafter(view, worklist)`` writes the drafts (``language.draft_worklist``); without one there are none. The seed
    spreads sending times within the day and draws the lots of ``learned``. Where ``learned`` cannot plan - a decision
    log that contradicts itself, no capacity - the ladder does, and ``assumptions`` begins with the reason. Raises
    UsageError for a policy that does not exist and ValueError when an open invoice has no prediction.
    """
    policy_version(policy)
    points = gather(view, prediction, cost_of_capital=capacity.cost_of_capital)
    made = all_proposals(points, view, capacity, policy, seed=seed, autonomy=autonomy)
    proposals = made.proposals
    context = LogContext(
        decided_at=start_of_day(view.as_of), policy=made.policy, policy_version=policy_version(made.policy), seed=seed,
        snapshot_id=view.snapshot_id, capacity_hash=capacity.capacity_hash,
        costs={name: arm.cost_minor for name, arm in capacity.arms.items()},
        minutes={name: arm.minutes for name, arm in capacity.arms.items()}, relative_minute_price=made.minute_price,
        learnt=made.learnt,
    )  # fmt: skip
    standing = {one.point.customer_id: _standing(one, autonomy) for one in proposals}
    decided = [proposal for proposal in proposals if proposal.epoch_kind]
    rows = [
        decision_row(one.point, one.arm, one.masked, _context_of(one, context), epoch_kind=one.epoch_kind,
                     figures=one.figures, standing=standing[one.point.customer_id])
        for one in decided
    ]  # fmt: skip
    worked = sorted((one for one in proposals if one.arm != "none"), key=_rank_key)
    worklist = _worklist(worked, view, capacity, context, standing)
    return Plan(
        decisions=_frame(rows, TABLES["decisions"].dtypes).sort("customer_id"),
        worklist=worklist,
        not_worked=_frame([_left_alone(one) for one in proposals if one.arm == "none"], NOT_WORKED_SCHEMA),
        resolution=_resolution(proposals, capacity),
        drafts={} if drafter is None else dict(drafter(view, worklist)),
        assumptions=made.said,
        policy=made.policy,
    )


def _standing(one: Proposal, autonomy: Autonomy) -> Standing:
    """How the decision stands: in shadow, in the holdout, or the policy's, and at which level."""
    carrying = one.point.carrying
    eligible = {name: float(name == one.arm) for name in ARMS if name not in one.masked}
    chances = eligible if one.figures is None else one.figures.propensities
    found = standing_of(one.arm, {name: chances.get(name, 0.0) for name in eligible},
                        carrying.segment if carrying is not None else "new", autonomy)  # fmt: skip
    return replace(found, stratum=HELD_OUT) if one.held_out and found.stratum == POLICY else found


def _context_of(one: Proposal, context: LogContext) -> LogContext:
    """The context of the ladder for a payer in the holdout."""
    if not one.held_out or context.policy == KILL_SWITCH_POLICY:
        return context
    return replace(context, policy=KILL_SWITCH_POLICY, policy_version=policy_version(KILL_SWITCH_POLICY), learnt=None)


def _rank_key(proposal: Proposal) -> tuple[int, float, str]:
    return proposal.tier, -proposal.score, proposal.point.customer_id


def _worklist(worked: list[Proposal], view: View, capacity: Capacity, context: LogContext,
              standing: Mapping[str, Standing]) -> pl.DataFrame:  # fmt: skip
    days = capacity.business_days(view.as_of)
    mail_days = _mail_days(worked, days)
    draws = uniform(context.seed, "plan/send_at", key_codes(one.point.customer_id for one in worked))
    rows = []
    for rank, (one, draw) in enumerate(zip(worked, draws.tolist(), strict=True), start=1):
        day = one.day if one.day is not None else next(mail_days[one.held_out])
        draw = _within_hours(one, draw)
        # Settling a dispute is work inside the house: nobody is contacted.
        moment = None if one.arm == "route_dispute" else send_at(day, one.point.timezone, one.point.country, draw)
        row = _worklist_row(one, rank, moment, capacity, _context_of(one, context))
        mine = standing[one.point.customer_id]
        rows.append(row | {
            "stratum": mine.stratum, "autonomy_level": mine.level,
            "execution": execution(one.arm, mine, str(row["needs_human"])),
        })  # fmt: skip
    return _frame(rows, WORKLIST_SCHEMA)


def _mail_days(worked: Sequence[Proposal], days: Sequence[date]) -> dict[bool, Iterator[date]]:
    """The days of the mails by rank, of the holdout (True) and of the others, each spread over all days.

    Scores of two policies do not compare: in one order the mails of one side would all leave at the end of the week.
    """
    result = {}
    for held_out in (False, True):
        number = sum(one.day is None and one.held_out is held_out for one in worked)
        result[held_out] = iter(spread_mails(number, days) if number else ())
    return result


def _within_hours(one: Proposal, draw: float) -> float:
    """``draw`` moved into the two hours that were chosen for this act; as it is where none were."""
    if one.figures is None or not one.figures.nested:
        return draw
    return (HOURS.index(json.loads(one.figures.nested)["hour"]) + draw) / len(HOURS)


def _worklist_row(one: Proposal, rank: int, moment: datetime | None, capacity: Capacity,
                  context: LogContext) -> dict[str, object]:  # fmt: skip
    point = one.point
    minutes = capacity.minutes_of(one.arm)
    gain, _, _ = assumed_gain(point.stake_of(one.arm), one.arm, capacity.cost_of(one.arm))
    figures = one.figures
    gain = gain if figures is None else figures.gain_minor
    drafted = one.arm.startswith(_DRAFTED) and bool(point.items)
    return {
        "rank": rank, "customer_id": point.customer_id, "name": point.name,
        "open_minor": point.sum_minor("open_minor"), "collectible_minor": point.sum_minor("collectible_minor"),
        "days_late_max": point.days_late_max, "arm": one.arm,
        "contact_id": point.contact.contact_id if point.contact is not None and moment is not None else None,
        "send_at": moment,
        "why": why(point, one.arm) if figures is None else figures.why, "expected_gain_minor": gain, "minutes": minutes,
        "gain_per_hour_minor": round(gain / minutes * 60) if minutes else None,
        "draft": file_name(rank, point.customer_id, one.arm) if drafted else "",
        "needs_human": needs_human(point, one.arm), "currency": point.currency,
        "decision_id": decision_id(point, context), "invoice_ids": [item.invoice_id for item in point.listed],
        "asked_minor": point.sum_minor("collectible_minor", listed=True), "stake_minor": round(point.stake_of(one.arm)),
        "disputed_minor": point.sum_minor("disputed_minor"), "paid_soon": point.paid_soon,
        "usual_days_late": point.habit.usual_days if point.habit.is_known else None,
        "beyond_habit_days": point.beyond_habit_days,
        "send_at_zone": zones(point.timezone, point.country)[1] if moment else "",
        **({} if figures is None else {name: getattr(figures, name) for name in LEARNED_COLUMNS}),
        **_terms(figures),
    }  # fmt: skip


def _terms(figures: Figures | None) -> dict[str, object]:
    terms = None if figures is None else figures.terms
    if terms is None:
        return {}
    by = "plan_by" if terms.percent is None else "offer_by"
    return {
        "terms": terms.words, "offer_percent": terms.percent, by: terms.by, "offer_yearly_cost": terms.yearly_effective,
        "plan_instalments": terms.instalments, "plan_first_percent": terms.first_percent,
    }  # fmt: skip


def _resolution(proposals: list[Proposal], capacity: Capacity) -> pl.DataFrame:
    """One row per contact point with open disputes and currency; minutes are the same for all, so cash decides."""
    minutes = capacity.minutes_of("route_dispute")
    rows = []
    for one in proposals:
        point = one.point
        for currency, held in sorted((point.disputes.cash_at_stake_minor or {}).items()):
            disputed = sum(item.disputed_minor for item in point.items if item.currency == currency)
            order = (-held / point.typical_minor[currency], point.customer_id, currency)
            rows.append((order, {
                "customer_id": point.customer_id, "name": point.name, "currency": currency,
                "open_disputes": point.disputes.number, "unowned_disputes": point.disputes.unowned,
                "disputed_minor": disputed, "cash_at_stake_minor": held, "minutes": minutes, "decided_arm": one.arm,
            }))  # fmt: skip
    rows.sort(key=lambda row: row[0])
    return _frame([{"rank": rank, **row} for rank, (_, row) in enumerate(rows, start=1)], RESOLUTION_SCHEMA)


def _left_alone(one: Proposal) -> dict[str, object]:
    point = one.point
    return {
        "customer_id": point.customer_id, "name": point.name, "open_minor": point.sum_minor("open_minor"),
        "collectible_minor": point.sum_minor("collectible_minor"), "currency": point.currency,
        "days_late_max": point.days_late_max, "paid_soon": point.paid_soon if point.listed else None,
        "reason": one.silence,
        "detail": one.detail,
    }  # fmt: skip


def file_name(rank: int, customer_id: str, arm: str) -> str:
    """A draft's file name: rank, the customer in plain letters and digits, a digest that keeps two apart, and the arm.

    Whatever the customer is called, the name holds no separator, no dot but one, and at most 80 characters.
    """
    plain = unicodedata.normalize("NFKD", customer_id).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:32].strip("-")
    digest = sha256_hex(customer_id.encode())[:6]
    return "-".join(part for part in (f"{rank:05d}", slug, digest, arm) if part) + ".txt"


def _frame(rows: list[dict[str, object]], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=dict(schema))
