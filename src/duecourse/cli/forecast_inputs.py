"""What `forecast` may be told besides LEDGER: expected invoices, exchange rates, and the holidays of the business."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import click
import polars as pl

from duecourse.cli.common import Function
from duecourse.core.calendar import NO_DAYS, EpochDays, holiday_days
from duecourse.core.countries import countries
from duecourse.core.errors import UsageError
from duecourse.core.money import CURRENCIES
from duecourse.ledger.as_of import View
from duecourse.ledger.single_table import read_single_table

LONGEST_PAST_DAYS, LONGEST_AHEAD_DAYS = 800, 200

_OPTIONS = (
    click.option(
        "--expected", type=click.Path(path_type=Path), metavar="FILE",
        help="CSV of known coming invoices: an order book, recurring invoices.",
    ),
    click.option(
        "--rates", type=click.Path(path_type=Path), metavar="FILE",
        help="CSV of exchange rates (date, currency, rate); adds cash_converted.",
    ),
    click.option("--base-currency", metavar="CODE", help="Currency of the converted total; with --rates."),
    click.option("--country", metavar="CC", help="Country of the business: its public holidays bring no invoices."),
)  # fmt: skip


@dataclass(frozen=True)
class ForecastInputs:
    """The options as given; ``checked`` refuses those that do not fit together."""

    expected: Path | None
    rates: Path | None
    base_currency: str | None
    country: str | None

    def checked(self) -> ForecastInputs:
        """The same with codes in capitals. Raises UsageError."""
        base = self.base_currency.upper() if self.base_currency else None
        country = self.country.upper() if self.country else None
        if (self.rates is None) != (base is None):
            raise UsageError("--rates and --base-currency go together: a file of rates, and the currency they lead to")
        if base is not None and base not in CURRENCIES:
            raise UsageError(f"--base-currency {base} is not an ISO 4217 code such as USD, EUR or GBP")
        if country is not None and country not in countries():
            raise UsageError(f"--country {country} is not an ISO 3166-1 code of two letters such as DE")
        return ForecastInputs(self.expected, self.rates, base, country)

    def with_expected(self, view: View) -> tuple[View, list[str]]:
        """``view`` with the invoices of --expected, and sentences on them. Raises BadInput."""
        from duecourse.science.forecast.expected import EXPECTED, expected_findings, with_expected

        if self.expected is None:
            return view, []
        return with_expected(view, read_single_table(self.expected, EXPECTED, expected_findings))

    def rate_rows(self) -> pl.DataFrame | None:
        """The rows of --rates. Raises BadInput."""
        from duecourse.science.forecast.converted import RATES, rate_findings

        return None if self.rates is None else read_single_table(self.rates, RATES, rate_findings)

    def rates_on(self, rows: pl.DataFrame, currencies: list[str], day: date) -> dict[str, Decimal]:
        """The rate of every currency to the base. Raises BadInput for one without."""
        from duecourse.science.forecast.converted import rates_on

        return rates_on(rows, currencies, self.base_currency or "", day)

    def holidays(self, day: date) -> EpochDays:
        """Epoch days of the public holidays of --country around ``day``."""
        if self.country is None:
            return NO_DAYS
        first, last = day - timedelta(days=LONGEST_PAST_DAYS), day + timedelta(days=LONGEST_AHEAD_DAYS)
        return holiday_days(self.country, first, last)


def input_options(command: Function) -> Function:
    """--expected, --rates, --base-currency and --country."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
