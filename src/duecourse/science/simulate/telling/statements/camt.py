"""camt.053 (ISO 20022, version 8) of a statement. Some days' credit transfers come as one entry with n details."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

from duecourse.science.simulate.telling.statements.statement import Statement, decimal

BATCH_DAYS = 6  # every sixth day of a month the bank books credit transfers together
_FAMILY = {"sepa": ("RCDT", "ESCT"), "ach": ("RCDT", "ACOR"), "wire": ("RCDT", "XBCT"), "cheque": ("RCHQ", "CCHQ")}


def camt053(statement: Statement) -> str:
    """The statement as one XML document."""
    entries = []
    for (_, batch), group in groupby(statement.lines, key=_key):
        lines = list(group)
        entries += [_entry(lines)] if batch else [_entry([line]) for line in lines]
    number = f"{statement.entity_id}-{statement.number:04d}"
    balance = _balance("OPBD", statement.opening, statement.currency, statement.first.isoformat())
    balance += _balance("CLBD", statement.closing, statement.currency, statement.last.isoformat())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">'
        f"<BkToCstmrStmt><GrpHdr><MsgId>{number}</MsgId><CreDtTm>{statement.last.isoformat()}T22:00:00Z</CreDtTm>"
        f"</GrpHdr><Stmt><Id>{number}</Id><ElctrncSeqNb>{statement.number}</ElctrncSeqNb>"
        f"<CreDtTm>{statement.last.isoformat()}T22:00:00Z</CreDtTm>"
        f"<Acct>{_account(statement.account)}<Ccy>{statement.currency}</Ccy></Acct>\n{balance}"
        f"{''.join(entries)}</Stmt></BkToCstmrStmt></Document>\n"
    )


def _key(line: Mapping[str, Any]) -> tuple[Any, str]:
    """Lines with the same key form one entry where the second part is not empty."""
    batched = line["kind"] == "payment" and line["method"] == "sepa" and line["booked_on"].day % BATCH_DAYS == 0
    return line["booked_on"], "batch" if batched else ""


def _entry(lines: list[Mapping[str, Any]]) -> str:
    total, line = sum(each["amount_minor"] for each in lines), lines[0]
    family, sub = _FAMILY.get(line["method"] if line["kind"] == "payment" else "", ("OTHR", "OTHR"))
    reversal = "<RvslInd>true</RvslInd>" if line["is_reversal"] else ""
    batch = f"<Btch><NbOfTxs>{len(lines)}</NbOfTxs></Btch>" if len(lines) > 1 else ""
    return (
        f'<Ntry><Amt Ccy="{line["currency"]}">{decimal(total)}</Amt><CdtDbtInd>{_sign(total)}</CdtDbtInd>{reversal}'
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{line['booked_on']}</Dt></BookgDt><ValDt><Dt>{line['value_on']}</Dt>"
        f"</ValDt><AcctSvcrRef>{escape(line['line_id'])[:35]}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly>"
        f"<Cd>{family}</Cd><SubFmlyCd>{sub}</SubFmlyCd></Fmly></Domn></BkTxCd>"
        f"<NtryDtls>{batch}{''.join(map(_details, lines))}</NtryDtls></Ntry>\n"
    )


def _details(line: Mapping[str, Any]) -> str:
    minor, text = line["amount_minor"], line["text"] or ""
    party = "Dbtr" if (minor > 0) != line["is_reversal"] else "Cdtr"
    named = f"<{party}><Pty><Nm>{escape(line['payer_name'] or '')}</Nm></Pty></{party}>"
    account = f"<{party}Acct>{_account(line['payer_account'])}</{party}Acct>" if line["payer_account"] else ""
    said = "".join(f"<Ustrd>{escape(text[at : at + 140])}</Ustrd>" for at in range(0, len(text), 140))
    end_to_end = escape(line["end_to_end_id"] or "NOTPROVIDED")
    return (
        f"<TxDtls><Refs><EndToEndId>{end_to_end}</EndToEndId></Refs>"
        f'<Amt Ccy="{line["currency"]}">{decimal(minor)}</Amt><CdtDbtInd>{_sign(minor)}</CdtDbtInd>'
        f"<RltdPties>{named}{account}</RltdPties><RmtInf>{said}</RmtInf></TxDtls>"
    )


def _balance(code: str, minor: int, currency: str, day: str) -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{decimal(minor)}</Amt>'
        f"<CdtDbtInd>{_sign(minor)}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>\n"
    )


def _sign(minor: int) -> str:
    return "CRDT" if minor >= 0 else "DBIT"


def _account(account: str) -> str:
    if "/" in account:
        return f"<Id><Othr><Id>{escape(account.split('/')[1])}</Id></Othr></Id>"
    return f"<Id><IBAN>{escape(account)}</IBAN></Id>"
