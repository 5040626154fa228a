"""Words, figures and dates as people of five languages write them; the words lie in ``data/*.toml``."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

LANGUAGES = ("en", "de", "fr", "nl", "es")
SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
_WEEKDAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
}
MONTHS = {language: tuple(names.split()) for language, names in _MONTHS.items()}
WEEKDAYS = {language: tuple(names.split()) for language, names in _WEEKDAYS.items()}
AND = {"en": "and", "de": "und", "fr": "et", "nl": "en", "es": "y"}


@cache
def data(name: str) -> dict[str, Any]:
    """The content of ``data/NAME.toml``. Raises FileNotFoundError for an unknown name."""
    return tomllib.loads(resources.files(__package__).joinpath("data").joinpath(f"{name}.toml").read_text("utf-8"))


def language_of(code: str | None) -> str:
    """The language of texts for a customer with this language; English for one that is not spoken here."""
    return code if code in LANGUAGES else "en"


def money(minor: int, currency: str, language: str, *, american: bool = False) -> str:
    """An amount as written in that language, such as ``1.234,56 €`` or ``£1,234.56``."""
    whole, cents = divmod(abs(minor), 100)
    sign = "-" if minor < 0 else ""
    if language == "en":
        shown = f"{whole:,}.{cents:02d}"
        symbol = SYMBOLS.get(currency)
        return f"{sign}{symbol}{shown}" if symbol and (american or currency != "EUR") else f"{sign}{currency} {shown}"
    mark = "\u00a0" if language == "fr" else "."
    return f"{sign}{whole:,}".replace(",", mark) + f",{cents:02d} {SYMBOLS.get(currency, currency)}"


def plain_number(minor: int, language: str) -> str:
    """The same without a currency."""
    text = f"{minor // 100}.{minor % 100:02d}"
    return text if language == "en" else text.replace(".", ",")


def day_text(day: date, language: str, country: str | None = None) -> str:
    """A date in figures: 12.03.2026, 12/03/2026, 12-03-2026, 03/12/2026 in the United States."""
    if language == "de":
        return f"{day.day:02d}.{day.month:02d}.{day.year}"
    if language == "nl":
        return f"{day.day:02d}-{day.month:02d}-{day.year}"
    if country == "US":
        return f"{day.month:02d}/{day.day:02d}/{day.year}"
    return f"{day.day:02d}/{day.month:02d}/{day.year}"


def long_day(day: date, language: str, country: str | None = None) -> str:
    """A date in words, without the year: 12 March, 12. März, le 12 mars is ``12 mars``."""
    month = MONTHS[language][day.month - 1]
    if language == "de":
        return f"{day.day}. {month}"
    if language == "es":
        return f"{day.day} de {month}"
    if country == "US":
        return f"{month} {day.day}"
    return f"{day.day} {month}"


def month_year(day: date, language: str) -> str:
    """A month with its year: March 2026, mars 2026, marzo de 2026."""
    of = " de " if language == "es" else " "
    return f"{MONTHS[language][day.month - 1]}{of}{day.year}"


def joined(items: list[str], language: str) -> str:
    """Items as a list in words; empty for none."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {AND[language]} {items[-1]}"
