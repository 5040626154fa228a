"""Money as integer minor units with an ISO 4217 currency; there is no float in it and no hidden conversion."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache

from babel import Locale
from babel.numbers import NumberPattern

# ISO 4217 (2024-06): the active codes, and the exponents that are not 2. Babel's table is CLDR's, which gives
# display digits (AFN 0, ALL 0 ...), not the minor unit of the standard; so the standard's own is kept here.
_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF CLP
CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS
INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU
MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK
SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYI UYU UYW UZS VED VES VND VUV
WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES: frozenset[str] = frozenset(_CODES.split())
_EXPONENT = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}


def exponent(currency: str) -> int:
    """Decimal places of the currency's minor unit (USD 2, JPY 0, KWD 3). Raises ValueError for an unknown code."""
    if currency not in CURRENCIES:
        raise ValueError(f"{currency!r} is not an ISO 4217 currency code")
    return _EXPONENT.get(currency, 2)


def to_minor(amount: Decimal, currency: str) -> int:
    """Minor units of a decimal amount; raises ValueError when the amount has more decimals than the currency."""
    scaled = amount.scaleb(exponent(currency))
    rounded = scaled.to_integral_value(rounding=ROUND_HALF_EVEN)
    # Exports carry float noise (31270.609999997): a millionth of a minor unit is noise, more is a wrong currency.
    if abs(scaled - rounded) > Decimal("0.00001"):
        raise ValueError(f"{amount} has more decimals than {currency} has ({exponent(currency)})")
    return int(rounded)


def from_minor(minor: int, currency: str) -> Decimal:
    """The decimal amount of minor units, exact."""
    return Decimal(minor).scaleb(-exponent(currency))


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in one currency. Adding two currencies raises ValueError; nothing is ever converted silently."""

    minor: int
    currency: str

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Money from plain decimal text such as ``1234.50``. Raises ValueError when it is not a number."""
        try:
            return cls(to_minor(Decimal(text), currency), currency)
        except InvalidOperation:
            raise ValueError(f"{text!r} is not a decimal number") from None

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.minor + other.minor, self.currency)

    def format(self, locale: str = "en_US") -> str:
        """The amount as people of ``locale`` write it, by CLDR, always with the currency's own decimals."""
        parsed, pattern = _currency_pattern(locale, exponent(self.currency))
        number = from_minor(self.minor, self.currency)
        return str(pattern.apply(number, parsed, currency=self.currency, currency_digits=False))


@lru_cache(maxsize=256)
def _currency_pattern(locale: str, digits: int) -> tuple[Locale, NumberPattern]:
    """The locale's own pattern (symbol before or after, grouping) with exactly ``digits`` decimals."""
    parsed = Locale.parse(locale)
    pattern = copy(parsed.currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    return parsed, pattern
