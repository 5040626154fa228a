"""MT940 (SWIFT) of a statement: one :61: a line, its words in :86: sub-fields of 27 characters (?20 .. ?29, ?60)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from duecourse.science.simulate.telling.papers import bank_text
from duecourse.science.simulate.telling.statements.statement import Statement, decimal

PIECE, PIECES = 27, 10
_CODES = {"sepa": ("NTRF", "166"), "ach": ("NTRF", "166"), "wire": ("NTRF", "152"), "cheque": ("NCHK", "170")}
_ALLOWED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")


def mt940(statement: Statement) -> str:
    """The statement as one message, lines ended as SWIFT ends them."""
    account = statement.account.replace("/", "")
    rows = [
        f":20:{statement.entity_id}{statement.first:%y%m}", f":25:{account}", f":28C:{statement.number:05d}/001",
        f":60F:{_balance(statement.opening, statement, statement.first)}",
    ]  # fmt: skip
    for number, line in enumerate(statement.lines, start=1):
        rows += [_line(line, number), *_words(line)]
    rows += [f":62F:{_balance(statement.closing, statement, statement.last)}", "-"]
    return "\r\n".join(rows) + "\r\n"


def _balance(minor: int, statement: Statement, day: Any) -> str:  # noqa: ANN401 - a date
    return f"{'C' if minor >= 0 else 'D'}{day:%y%m%d}{statement.currency}{decimal(minor, ',')}"


def _line(line: Mapping[str, Any], number: int) -> str:
    """Value date, booking day, sign (RC: a credit taken back), amount, code and reference."""
    minor = line["amount_minor"]
    sign = "RC" if line["is_reversal"] else "C" if minor >= 0 else "D"
    code = _CODES.get(line["method"] or "", ("NMSC", "835"))[0]
    reference = _clean(line["end_to_end_id"] or "NONREF")[:16]
    booked = f"{line['value_on']:%y%m%d}{line['booked_on']:%m%d}"
    return f":61:{booked}{sign}{decimal(minor, ',')}{code}{reference}//{number:06d}"


def _words(line: Mapping[str, Any]) -> list[str]:
    code = _CODES.get(line["method"] or "", ("NMSC", "835"))[1]
    text, name = _clean(line["text"] or ""), _clean(line["payer_name"] or "")
    pieces = [text[at : at + PIECE] for at in range(0, len(text), PIECE)]
    tags = [f"?{20 + at}" if at < PIECES else f"?{60 + at - PIECES}" for at in range(len(pieces))]
    said = f"{code}?00{'CREDIT' if line['amount_minor'] >= 0 else 'DEBIT'}"
    said += "".join(tag + piece for tag, piece in zip(tags, pieces, strict=True))
    if line["payer_account"]:
        said += f"?31{line['payer_account'].replace('/', '')}"
    said += f"?32{name[:PIECE]}" + (f"?33{name[PIECE : 2 * PIECE]}" if len(name) > PIECE else "")
    shown = f":86:{said}"
    return [shown[at : at + 65] for at in range(0, len(shown), 65)]


def _clean(text: str) -> str:
    """Only what the SWIFT character set holds; ``?`` would begin a sub-field."""
    return "".join(
        letter if letter in _ALLOWED and letter != "?" else "." for letter in bank_text(text).replace("&", "+")
    ).strip()
