"""Random histories of a small ledger for property tests: versions, reversals, voids, late and early recording.

Dates lie in a few weeks, amounts and ids in small ranges, so that collisions of all kinds are frequent. A history is
drawn as (number of rows, seed), which Hypothesis shrinks to few rows; drawing every cell by itself is ten times slower.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from duecourse.ledger.schema import TABLES
from support.books import Row

FIRST = date(2026, 1, 1)
DAYS = 40
VIEWS = st.integers(0, DAYS + 5).map(lambda offset: FIRST + timedelta(days=offset))
CURRENCIES = ("USD", "USD", "EUR")
INVOICES = ("I1", "I2", "I3")


def histories(max_rows: int = 30) -> st.SearchStrategy[list[Row]]:
    """Lists of rows of all tables, one row per id and ``recorded_at``; mostly invoices and allocations."""
    return st.builds(history, st.integers(1, max_rows), st.integers(0, 2**32 - 1))


def row_id(row: Row) -> str:
    """The id of the thing that the row is a version of."""
    return str(row.values[TABLES[row.table].key[0]])


def history(rows: int, seed: int) -> list[Row]:
    """A history of at most ``rows`` rows."""
    draw = Random(seed)
    kept: dict[tuple[str, str, str | None], Row] = {}
    for _ in range(rows):
        table = draw.choice([*_MAKERS, "invoices", "invoices", "allocations", "allocations", "allocations"])
        values = {**_MAKERS[table](draw), "recorded_at": None, "voided_at": None}
        if draw.random() < 0.6:
            values["recorded_at"] = _moment(draw)
        elif (own_date := TABLES[table].known_from) is not None:
            values["recorded_at"] = f"{values[own_date]}T00:00:00Z"
        if draw.random() < 0.15:
            values["voided_at"] = _moment(draw)
        row = Row(table, values)  # of two rows with one id and one recorded_at, which is newer is anybody's guess
        kept.setdefault((table, row_id(row), values["recorded_at"]), row)
    return list(kept.values())


def _day(draw: Random) -> str:
    return (FIRST + timedelta(days=draw.randint(0, DAYS))).isoformat()


def _moment(draw: Random) -> str:
    return f"{_day(draw)}T{draw.choice([0, 0, 9, 23]):02}:00:00Z"


def _or_none(draw: Random, value: Any, share: float = 0.5) -> Any:
    return value if draw.random() < share else None


def _account(draw: Random) -> dict[str, Any]:
    return {"customer_id": draw.choice(["C1", "C2"]), "currency": draw.choice(CURRENCIES),
            "amount_minor": draw.randint(0, 120)}  # fmt: skip


def _invoice(draw: Random) -> dict[str, Any]:
    return {"invoice_id": draw.choice(INVOICES), "issued_on": _day(draw), "due_on": _day(draw),
            "entity_id": draw.choice([None, None, "A", "B"]), **_account(draw)}  # fmt: skip


def _payment(draw: Random) -> dict[str, Any]:
    return {**_account(draw), "payment_id": draw.choice(["P1", "P2"]), "received_on": _day(draw),
            "customer_id": draw.choice(["C1", "C2", None]), "method": draw.choice([None, "wire", "cheque"]),
            "status": draw.choice([None, "cleared", "cleared", "returned"])}  # fmt: skip


def _credit(draw: Random) -> dict[str, Any]:
    return {"credit_id": draw.choice(["K1", "K2"]), "issued_on": _day(draw),
            "invoice_id": _or_none(draw, draw.choice(INVOICES)), **_account(draw)}  # fmt: skip


def _allocation(draw: Random) -> dict[str, Any]:
    kind = draw.choice(["payment", "payment", "payment", "credit", "discount", "write_off", "fee"])
    sources = {"payment": ["P1", "P2"], "credit": ["K1", "K2"]}.get(kind, ["X"])
    return {"allocation_id": f"A{draw.randint(1, 6)}", "invoice_id": draw.choice(INVOICES), "source_kind": kind,
            "applied_on": _day(draw), "amount_minor": draw.randint(1, 100),
            "source_id": _or_none(draw, draw.choice(sources)),
            "reversed_on": _or_none(draw, _day(draw), 0.25)}  # fmt: skip


def _dispute(draw: Random) -> dict[str, Any]:
    closed_on = _or_none(draw, _day(draw))
    return {"dispute_id": draw.choice(["D1", "D2"]), "invoice_id": draw.choice(INVOICES), "opened_on": _day(draw),
            "disputed_minor": _or_none(draw, draw.randint(0, 120)), "closed_on": closed_on,
            "outcome": "valid" if closed_on else None}  # fmt: skip


def _promise(draw: Random) -> dict[str, Any]:
    return {"promise_id": draw.choice(["M1", "M2", "M3"]), "promised_on": _day(draw), "due_on": _day(draw),
            "invoice_ids": _or_none(draw, draw.sample(INVOICES, draw.randint(1, 2)), 0.7),
            **_account(draw)}  # fmt: skip


def _plan(draw: Random) -> dict[str, Any]:
    instalments = [f"{_day(draw)}:{draw.randint(0, 120)}" for _ in range(draw.randint(1, 3))]
    return {"plan_id": "L1", "customer_id": draw.choice(["C1", "C2"]), "currency": draw.choice(CURRENCIES),
            "agreed_on": _day(draw), "instalments": instalments,
            "invoice_ids": _or_none(draw, [draw.choice(INVOICES)])}  # fmt: skip


def _customer(draw: Random) -> dict[str, Any]:
    return {"customer_id": draw.choice(["C1", "C2"]), "segment": draw.choice(["x", "y"])}


_MAKERS: dict[str, Callable[[Random], dict[str, Any]]] = {
    "invoices": _invoice, "payments": _payment, "credits": _credit, "allocations": _allocation, "disputes": _dispute,
    "promises": _promise, "plans": _plan, "customers": _customer,
}  # fmt: skip
