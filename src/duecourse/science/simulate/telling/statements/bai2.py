"""BAI2 of a statement: file, group, account, transactions with 88 continuations, and the control totals of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from duecourse.science.simulate.telling.papers import bank_text
from duecourse.science.simulate.telling.statements.statement import Statement

WIDTH = 80
_TYPES = {"sepa": "195", "ach": "165", "wire": "195", "cheque": "175"}
_DEBITS = {"returned": "557", "refund": "495", "treasury": "495", "fee": "698"}


def bai2(statement: Statement) -> str:
    """The statement as one file with one group and one account."""
    account = statement.account.replace("/", "")
    day, stamp = f"{statement.last:%y%m%d}", "2200"
    rows = [f"03,{account},{statement.currency},010,{statement.opening},,,015,{statement.closing},,/"]
    for line in statement.lines:
        rows += _transaction(line)
    total = statement.opening + statement.closing + sum(abs(line["amount_minor"]) for line in statement.lines)
    rows.append(f"49,{total},{len(rows) + 1}/")
    group = [f"02,{statement.entity_id},ZZHL,1,{day},{stamp},{statement.currency},2/", *rows]
    group.append(f"98,{total},1,{len(group) + 1}/")
    file = [f"01,ZZHL,{statement.entity_id},{day},{stamp},{statement.number},{WIDTH},,2/", *group]
    file.append(f"99,{total},1,{len(file) + 1}/")
    return "\n".join(file) + "\n"


def _transaction(line: Mapping[str, Any]) -> list[str]:
    minor = line["amount_minor"]
    kind = _TYPES.get(line["method"], "399") if minor >= 0 else _DEBITS.get(line["kind"], "699")
    if minor >= 0 and line["kind"] != "payment":
        kind = "399"
    reference = _clean(line["line_id"]).replace(",", "")
    words = f"{_clean(line['payer_name'] or '')} {_clean(line['text'] or '')}".strip()
    head = f"16,{kind},{abs(minor)},Z,{reference},{_clean(line['end_to_end_id'] or '')},"
    rows, room = [], WIDTH - len(head)
    rows.append(head + words[: max(room, 0)])
    rest = words[max(room, 0) :]
    while rest:
        rows.append(f"88,{rest[: WIDTH - 3]}")
        rest = rest[WIDTH - 3 :]
    return rows


def _clean(text: str) -> str:
    """Plain capitals; a slash ends a record in BAI2, so none is left at the end of a line."""
    return bank_text(text).replace("/", "-")
