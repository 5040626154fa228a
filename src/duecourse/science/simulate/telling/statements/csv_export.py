"""The statement as a bank's CSV export, in the manner of its country: separator, decimal mark, order of the date."""

from __future__ import annotations

from datetime import date

from duecourse.science.simulate.telling.statements.statement import Statement, decimal

_HEADERS = {
    "EUR": "Buchungstag;Valuta;Auftraggeber;IBAN;Verwendungszweck;Referenz;Betrag;Währung;Saldo",
    "GBP": "Date,Value date,Payer,Account,Details,Reference,Amount,Currency,Balance",
    "USD": "Posting Date,Value Date,Payer,Account,Description,Reference,Amount,Currency,Running Balance",
}


def csv_export(statement: Statement) -> str:
    """Header and one row a line, with the running balance."""
    rows, balance = [_HEADERS[statement.currency]], statement.opening
    separator = ";" if statement.currency == "EUR" else ","
    for line in statement.lines:
        balance += line["amount_minor"]
        cells = (
            _day(line["booked_on"], statement.currency), _day(line["value_on"], statement.currency),
            line["payer_name"] or "", line["payer_account"] or "", line["text"] or "", line["end_to_end_id"] or "",
            _amount(line["amount_minor"], statement.currency), statement.currency,
            _amount(balance, statement.currency),
        )  # fmt: skip
        rows.append(separator.join(_quoted(cell, separator) for cell in cells))
    return "\r\n".join(rows) + "\r\n"


def _day(day: date, currency: str) -> str:
    return f"{day:%d.%m.%Y}" if currency == "EUR" else f"{day:%d/%m/%Y}" if currency == "GBP" else f"{day:%m/%d/%Y}"


def _amount(minor: int, currency: str) -> str:
    return ("-" if minor < 0 else "") + decimal(minor, "," if currency == "EUR" else ".")


def _quoted(cell: str, separator: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if separator in cell or '"' in cell else cell
