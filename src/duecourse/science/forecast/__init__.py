"""Cash that will arrive from the open book, by day and by week, as a mean and a band that respects dependence.

Public face: ``OpenItems``, ``simulate_open_book``, ``cash_tables``. See docs/science/cash-forecast.md.
"""

from duecourse.science.forecast.cash import CashBands, cash_tables
from duecourse.science.forecast.open_book import OpenItems, Shares, simulate_open_book

__all__ = ["CashBands", "OpenItems", "Shares", "cash_tables", "simulate_open_book"]
