"""The country codes that a ledger may hold: ISO 3166-1 alpha-2, from CLDR as Babel carries it."""

from __future__ import annotations

from functools import cache

# Two-letter codes of CLDR that ISO 3166-1 does not assign: exceptional reservations, aggregates, test regions.
_NOT_ASSIGNED = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ".split())


@cache
def countries() -> frozenset[str]:
    """The 249 assigned codes and XK (Kosovo), which ISO leaves to users and which business uses."""
    from babel import Locale

    codes = {str(code) for code in Locale("en").territories}
    codes = {code for code in codes if len(code) == 2 and code.isalpha()}
    return frozenset(codes - _NOT_ASSIGNED)
