"""Cash that will arrive, by day and by week, as a mean and a band that respects dependence.

Public face: ``forecast_cash`` of ``OpenItems`` and ``PastInvoices``, then ``cash_tables``.
See docs/science/cash-forecast.md.
"""

from duecourse.science.forecast.book import open_items, past_invoices
from duecourse.science.forecast.cash import CashBands, cash_tables, forecast_book, forecast_cash
from duecourse.science.forecast.inflow import IssuedHistory
from duecourse.science.forecast.inflow_draws import PastInvoices, simulate_inflow
from duecourse.science.forecast.open_book import OpenItems, Shares, simulate_open_book

__all__ = [
    "CashBands",
    "IssuedHistory",
    "OpenItems",
    "PastInvoices",
    "Shares",
    "cash_tables",
    "forecast_book",
    "forecast_cash",
    "open_items",
    "past_invoices",
    "simulate_inflow",
    "simulate_open_book",
]
