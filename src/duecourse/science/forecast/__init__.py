"""Cash that will arrive, by day and by week, as a mean and a band that respects dependence.

Public face: ``forecast_cash`` of ``OpenItems`` and ``PastInvoices``, then ``cash_tables``.
See docs/science/cash-forecast.md.
"""

from duecourse.science.forecast.book import open_items, past_invoices
from duecourse.science.forecast.cash import CashBands, Extras, cash_tables, forecast_book, forecast_cash
from duecourse.science.forecast.groups import GroupedCash, group_table
from duecourse.science.forecast.inflow_draws import PastInvoices, simulate_inflow
from duecourse.science.forecast.issued import IssuedHistory
from duecourse.science.forecast.open_book import OpenItems, Shares, simulate_open_book
from duecourse.science.forecast.schedule import expected_schedule

__all__ = [
    "CashBands",
    "Extras",
    "GroupedCash",
    "IssuedHistory",
    "OpenItems",
    "PastInvoices",
    "Shares",
    "cash_tables",
    "expected_schedule",
    "forecast_book",
    "forecast_cash",
    "group_table",
    "open_items",
    "past_invoices",
    "simulate_inflow",
    "simulate_open_book",
]
