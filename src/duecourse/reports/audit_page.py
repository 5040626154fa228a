"""The page of a data audit: can these books be trusted, how far do they carry, and where do receivables stand today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from duecourse.reports.page import Page, Section, print_page
from duecourse.reports.sections.audit_books import book_values, customer_values, driver_values, trend_values
from duecourse.reports.sections.audit_data import (
    EXAMPLES_SHOWN,
    clock_values,
    completeness_values,
    fault_values,
    history_values,
)
from duecourse.reports.wording import RUNGS, Wording

__all__ = ["render"]


def render(
    audit: Mapping[str, Any], *, title: str = "Data audit", program_version: str = "", locale: str = "en_US"
) -> str:
    """The page of ``Audit.to_dict()`` as one self-contained HTML text; the same audit gives the same bytes."""
    words = Wording(locale)
    history = audit["history"]
    sections = (
        Section("verdict", "Verdict", "audit_verdict.html", {"audit": audit}),
        Section("history", "How far the history carries", "audit_history.html", history_values(audit)),
        Section("standing", "Where receivables stand", "audit_standing.html", book_values(audit, words)),
        Section("trend", "Twelve months back", "audit_trend.html", trend_values(audit, words), new_page=True),
        Section("drivers", "Who drives lateness", "audit_drivers.html", driver_values(audit, words)),
        Section("customers", "Customer by customer", "audit_customers.html", customer_values(audit, words)),
        Section("faults", "Faults", "audit_faults.html",
                {**fault_values(audit), "examples_shown": EXAMPLES_SHOWN}, new_page=True),
        Section("completeness", "Completeness", "audit_completeness.html", completeness_values(audit, words)),
        Section("clocks", "When things are recorded and paid", "audit_clocks.html", clock_values(audit, words)),
    )  # fmt: skip
    page = Page(
        title=title,
        eyebrow="Data audit and baseline",
        facts=[
            Markup("as of {}").format(words.day(audit["as_of"])),
            words.plural(history["invoices"], "invoice"),
            words.plural(history["customers"], "customer"),
            f"reaches {RUNGS.get(history['rung'], history['rung'])}",
        ],
        sections=sections,
        footer=[
            ("Made by", f"duecourse {program_version}".strip() + "; the same ledger and day give the same page"),
            ("Known before", str(audit["as_of"])),
            ("Snapshot", str(audit["snapshot_id"])),
        ],
        locale=locale,
    )
    return print_page(page)
