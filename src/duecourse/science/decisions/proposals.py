"""``all_proposals``: who decides for whom - the policy, the ladder for the holdout, the ladder for all when it must."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from duecourse.ledger.as_of import View
from duecourse.ledger.autonomy import KILL_SWITCH_POLICY
from duecourse.science.decisions.autonomy import Autonomy
from duecourse.science.decisions.capacity import Capacity
from duecourse.science.decisions.held_out import held_out
from duecourse.science.decisions.learned_plan import CannotLearn, propose_learned
from duecourse.science.decisions.log import LearntIds
from duecourse.science.decisions.points import ContactPoint
from duecourse.science.decisions.policies import Proposal, propose
from duecourse.science.decisions.stake import LOST_SHARE, RESPONSE, SOON_DAYS


@dataclass(frozen=True)
class Proposals:
    """One proposal per contact point in their order, the policy that decided, and what to say about it.

    ``minute_price`` in median open invoices; ``learnt`` what a learned plan rests on, None under fixed rules.
    """

    proposals: list[Proposal]
    minute_price: float
    policy: str
    learnt: LearntIds | None
    said: tuple[str, ...]


def all_proposals(points: Sequence[ContactPoint], view: View, capacity: Capacity, policy: str, *, seed: int,
                  autonomy: Autonomy) -> Proposals:  # fmt: skip
    """The proposals of ``policy`` for all contact points but the holdout, of the ladder for these.

    The ladder plans for the whole book with all minutes, as if it were alone, and the holdout gets what it gives them;
    the policy has the minutes that are left. Where the kill switch is on, or ``learned`` cannot plan, the ladder
    decides for everybody and ``said`` begins with the reason.
    """
    asked = policy
    said: tuple[str, ...] = ()
    if autonomy.kill_switch:
        policy = KILL_SWITCH_POLICY
        instead = "" if asked == policy else f" instead of {asked}"
        said = (f"Kill switch: the ladder planned for everybody{instead}; a person approves every act.",)
    mine = {point.customer_id for point in points}
    held = held_out(view, autonomy.holdout_share) & mine
    made = _made(points, view, capacity, policy, seed=seed, held=held)
    if isinstance(made, CannotLearn):
        said = (*said, f"The ladder planned instead of the learned policy: {made.reason}.")
        made = _made(points, view, capacity, KILL_SWITCH_POLICY, seed=seed, held=held)
        assert isinstance(made, Proposals)  # noqa: S101 - the ladder always plans
    if autonomy.holdout_share > 0:
        made = replace(made, said=(*made.said, _about_holdout(len(held), len(mine), autonomy.holdout_share)))
    return replace(made, said=(*said, *made.said))


def _about_holdout(held: int, points: int, share: float) -> str:
    return (
        f"Holdout: {held} of {points} contact points with open invoices stay on the ladder for good ({share:.0%} of "
        "all payers), to show whether anything gets worse."
    )


def _made(points: Sequence[ContactPoint], view: View, capacity: Capacity, policy: str, *, seed: int,
          held: frozenset[str]) -> Proposals | CannotLearn:  # fmt: skip
    """What ``policy`` proposes for all but ``held``, and the ladder for these."""
    ladder, price = propose(points, capacity, view.as_of, policy=KILL_SWITCH_POLICY) if held else ([], 0.0)
    own = {one.point.customer_id: replace(one, held_out=True) for one in ladder if one.point.customer_id in held}
    if policy == KILL_SWITCH_POLICY:
        if not held:
            ladder, price = propose(points, capacity, view.as_of, policy=policy)
        mixed = [own.get(one.point.customer_id, one) for one in ladder]
        return Proposals(mixed, price, policy, None, assumptions(capacity))
    room = _left(own.values(), capacity, view.as_of) if held else None
    if policy == "learned":
        made = propose_learned(points, view, capacity, seed, elsewhere=held, room=room)
        if isinstance(made, CannotLearn):
            return made
        mixed = [own.get(one.point.customer_id, one) for one in made.proposals]
        return Proposals(mixed, made.minute_price, policy, made.ids, learned_assumptions(made.notes))
    rest = [point for point in points if point.customer_id not in held]
    proposals, price = propose(rest, capacity, view.as_of, policy=policy, room=room)
    by_name = own | {one.point.customer_id: one for one in proposals}
    return Proposals([by_name[point.customer_id] for point in points], price, policy, None, assumptions(capacity))


def _left(placed: Iterable[Proposal], capacity: Capacity, as_of: date) -> dict[date, float]:
    """Minutes on each business day after the acts that are ``placed``."""
    room = dict.fromkeys(capacity.business_days(as_of), capacity.minutes_per_day)
    for one in placed:
        if one.day is not None:
            room[one.day] -= capacity.minutes_of(one.arm)
    return room


def assumptions(capacity: Capacity) -> tuple[str, ...]:
    """What the figures of a plan rest on and nobody has measured here."""
    used = ", ".join(f"{arm} {RESPONSE[arm]:.0%}" for arm in sorted(capacity.arms))
    return (
        "Expected gains are assumptions, not measured effects: no contact was ever left out at random in these books.",
        f"Assumed share of the amount at stake that one act saves: {used or 'no act is available'}.",
        f"At stake = collectible x chance of not paying within {SOON_DAYS} days x cost of waiting; "
        f"{LOST_SHARE:.0%} of what is not paid within the model's reach counts as lost.",
    )


def learned_assumptions(notes: tuple[str, ...]) -> tuple[str, ...]:
    """What the figures of a learned plan rest on: ``notes`` on the evidence, then what is assumed all the same."""
    return (
        *notes,
        "Expected gains are averages over draws of what is believed, after cost and the price of annoying a customer, "
        "before the price of minutes; they are no promise.",
        "The price of a contact to the relationship and the loss of unpaid invoices start from assumptions.",
    )
