"""``Envelope``: which terms may be offered to customers - a discount for payment now, a plan in instalments.

Without an envelope the arms ``email_discount`` and ``call_plan`` do not exist. Nothing outside it is ever proposed, and
every offer still needs the person whom it names. Who may be offered anything is drawn by customer, once and for all:
so the others show what offers bring.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from duecourse.core.ids import key_codes, uniform
from duecourse.science.decisions.reading import Reader

OFFERED_SHARE = 0.5  # [A] half and half tells most about what offers bring
FEWEST_INSTALMENTS, MOST_INSTALMENTS = 2, 4
LONGEST_OFFER_DAYS, LONGEST_PLAN_DAYS = 42, 366
ARM_OF = {"discount": "email_discount", "plan": "call_plan"}
TERMS_ARMS = tuple(ARM_OF.values())


@dataclass(frozen=True, slots=True)
class DiscountTerms:
    """``percent`` off for what is paid within ``days`` of the offer.

    ``yearly_limit_minor``: what such offers may cost in 12 months if everybody takes them, in the book's main currency.
    """

    percent: float
    days: int
    yearly_limit_minor: int
    approver: str


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """At most ``instalments`` (2 to 4) within ``days``, at least ``first_share`` of the debt at once."""

    instalments: int
    days: int
    first_share: float
    approver: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """What may be offered (None: not at all), to the ``share_of_customers`` that the lot lets have offers."""

    discount: DiscountTerms | None = None
    plan: PlanTerms | None = None
    share_of_customers: float = OFFERED_SHARE

    @property
    def arms(self) -> frozenset[str]:
        """The arms that exist by this envelope."""
        stated = {"discount": self.discount, "plan": self.plan}
        return frozenset(ARM_OF[name] for name, terms in stated.items() if terms is not None)

    def to_dict(self) -> dict[str, object]:
        """The envelope as it stands in capacity.json; what is not offered is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def may_have_offers(customer_id: str, share: float) -> bool:
    """Whether the lot lets this contact point have offers: the same answer every day, whatever the plan's seed."""
    return bool(uniform(0, "terms/eligible", key_codes([customer_id]))[0] < share)


def read_envelope(raw: object, arms: Mapping[str, object], reader: Reader) -> Envelope | None:
    """The envelope at the key ``terms``; problems are noted in ``reader``. ``arms`` are those that the file lists."""
    if not isinstance(raw, Mapping):
        reader.refuse("terms", raw, "an object with discount, plan or both")
        return None
    reader.keys(raw, ("discount", "plan", "share_of_customers"), "terms")
    for name, arm in ARM_OF.items():
        if name in raw and arm not in arms:
            reader.refuse(f"arms.{arm}", None, f"cost and minutes of this arm, since terms.{name} offers it",
                          f"add arms.{arm} or take terms.{name} out")  # fmt: skip
    found = Envelope(
        _discount(raw["discount"], reader) if "discount" in raw else None,
        _plan(raw["plan"], reader) if "plan" in raw else None,
        reader.number(raw, "share_of_customers", where="terms", largest=1, default=OFFERED_SHARE),
    )
    if not found.arms:
        reader.refuse("terms", None, "discount, plan or both", "leave terms out when nothing may be offered")
    return found


def _discount(raw: object, reader: Reader) -> DiscountTerms | None:
    where = "terms.discount"
    if not isinstance(raw, Mapping):
        reader.refuse(where, raw, '{"percent": 2, "days": 10, "yearly_limit_minor": 500000, "approver": "..."}')
        return None
    reader.keys(raw, ("percent", "days", "yearly_limit_minor", "approver"), where)
    return DiscountTerms(
        reader.number(raw, "percent", where=where, smallest=0.1, largest=20),
        reader.whole(raw, "days", "days", where=where, smallest=1, largest=LONGEST_OFFER_DAYS),
        reader.whole(raw, "yearly_limit_minor", "minor units", where=where, largest=10**15, cure="500000 = 5,000.00"),
        reader.words(raw, "approver", "who approves a discount, a name or a role", where=where),
    )


def _plan(raw: object, reader: Reader) -> PlanTerms | None:
    where = "terms.plan"
    if not isinstance(raw, Mapping):
        reader.refuse(where, raw, '{"instalments": 3, "days": 90, "first_share": 0.3, "approver": "..."}')
        return None
    reader.keys(raw, ("instalments", "days", "first_share", "approver"), where)
    return PlanTerms(
        reader.whole(raw, "instalments", "instalments", where=where, smallest=FEWEST_INSTALMENTS,
                     largest=MOST_INSTALMENTS),
        reader.whole(raw, "days", "days", where=where, smallest=7, largest=LONGEST_PLAN_DAYS),
        reader.number(raw, "first_share", where=where, largest=0.95),
        reader.words(raw, "approver", "who approves a plan, a name or a role", where=where),
    )  # fmt: skip
