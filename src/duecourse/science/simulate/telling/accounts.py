"""Bank accounts that look right and exist nowhere: IBANs with valid check digits on banks that nobody runs.

Check digits: ISO 13616 (mod 97-10), the French RIB key, the Spanish account digits, the ABA routing number. The bank
codes are ones that the national registers do not assign (a leading 999 in Germany, France and Spain, ZZ.. in the
Netherlands and the United Kingdom, 99 in the United States).
"""

from __future__ import annotations

from duecourse.science.simulate.telling.keyed import Fortune


def iban(country: str, bban: str) -> str:
    """The IBAN of a basic account number: country, check digits, number."""
    digits = "".join(str(int(letter, 36)) for letter in f"{bban}{country}00")
    return f"{country}{98 - int(digits) % 97:02d}{bban}"


def is_valid_iban(text: str) -> bool:
    """Whether the check digits of an IBAN hold."""
    turned = text[4:] + text[:4]
    return text.isalnum() and int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


def account_of(country: str, fortune: Fortune, which: str = "account") -> str:
    """The account of a payer: an IBAN, or ``routing/account`` in the United States."""
    number = fortune.below(which, 10**10)
    branch = fortune.below(f"{which} branch", 90_000)
    if country == "DE":
        return iban("DE", f"999{branch:05d}{number:010d}")
    if country == "GB":
        return iban("GB", f"ZZ{'QXVW'[branch % 4]}B{branch:06d}{number % 10**8:08d}")
    if country == "FR":
        bank, counter, own = 99900 + branch % 100, branch % 10**5, f"{number:011d}"
        key = 97 - (89 * bank + 15 * counter + 3 * int(own)) % 97
        return iban("FR", f"{bank:05d}{counter:05d}{own}{key:02d}")
    if country == "NL":
        return iban("NL", f"ZZ{'AKPT'[branch % 4]}B{number:010d}")
    if country == "ES":
        office = f"999{branch % 10}{branch % 10**4:04d}"
        return iban("ES", f"{office}{_spanish(f'00{office}')}{_spanish(f'{number:010d}')}{number:010d}")
    return f"{routing_number(f'990{branch:05d}')}/{number % 10**9:09d}"


def house_account(entity: dict[str, str]) -> str:
    """The own account of one company of the house (``data/house.toml``)."""
    if entity["country"] == "US":
        return f"{routing_number(entity['bank'] + '21')}/{entity['account']}"
    return iban(entity["country"], entity["bank"] + entity["account"])


def routing_number(first_eight: str) -> str:
    """Eight digits and the ABA check digit."""
    weights = (3, 7, 1, 3, 7, 1, 3, 7)
    total = sum(weight * int(digit) for weight, digit in zip(weights, first_eight, strict=True))
    return f"{first_eight}{-total % 10}"


def _spanish(ten: str) -> int:
    weights = (1, 2, 4, 8, 5, 10, 9, 7, 3, 6)
    rest = 11 - sum(weight * int(digit) for weight, digit in zip(weights, ten, strict=True)) % 11
    return {10: 1, 11: 0}.get(rest, rest)
