"""Everything the run page shows, as one value; the verb ``run`` fills it and ``run_page.render`` prints it.

Frames keep the column contracts of the command line (scores, worklist, decisions, cash_daily, cash_weekly). Any frame
may be empty: its section then says why and what the next step is. Additional columns are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from duecourse.core.errors import Problem

if TYPE_CHECKING:
    from duecourse.ledger.importing.outcome import ImportResult
    from duecourse.science.forecast.movement import Movement
    from duecourse.science.forecast.track_record import TrackRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class RunIdentity:
    """What makes the page reproducible: the same values give the same page, byte for byte.

    ``generated_at`` is shown in the footer when given; leave it None where bytes must be equal. ``title`` is the name
    of the company or of the export. ``rung`` is the rung that served most invoices (model / customer_history / book /
    terms).
    """

    title: str
    sources: tuple[str, ...]
    as_of: date
    snapshot_id: str
    model_id: str
    rung: str
    policy: str
    seed: int
    program_version: str
    policy_version: str = ""
    generated_at: datetime | None = None
    command: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Headline:
    """The measured state of one currency at ``as_of``. Days are days; shares are 0..1; None means not computable.

    Open and overdue amounts and the expected cash are not here: the page adds them up from ``scores`` and
    ``cash_daily``, so that no two figures on it can disagree.
    """

    currency: str
    dso_days: float | None = None
    best_possible_dso_days: float | None = None
    average_days_delinquent: float | None = None
    cei: float | None = None
    late_share: float | None = None
    late_share_of: int = 0
    days_to_pay_median: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Guess:
    """One decision the importer took by itself: about what, what it chose, on which evidence, how to change it."""

    about: str
    chosen: str
    because: str = ""
    change: str = ""
    certain: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportNotes:
    """What the importer read, guessed, left out and proposes. ``column_map`` maps a file's header to a ledger column.

    ``name_proposals`` are groups of spellings that may be one customer (a person confirms). ``skipped_rows`` counts the
    rows that were left out because of a problem or as an exact duplicate.
    """

    files: tuple[str, ...] = ()
    rows_read: int = 0
    rows_used: int = 0
    skipped_rows: int = 0
    guesses: Sequence[Guess] = ()
    problems: Sequence[Problem] = ()
    column_map: Mapping[str, str] = field(default_factory=dict)
    name_proposals: Sequence[Sequence[str]] = ()
    unknown_columns: Sequence[str] = ()

    @classmethod
    def of(cls, result: ImportResult) -> ImportNotes:
        """The notes of an import, ready for the page."""
        proposals: dict[str, list[str]] = {}
        for row in result.name_proposals.iter_rows(named=True):
            keep = f"{row['proposed_name']} ({row['proposed_customer_id']})"
            proposals.setdefault(keep, [keep]).append(f"{row['name']} ({row['customer_id']})")
        tables = result.column_map.tables
        return cls(
            files=tuple(count.file for count in result.files),
            rows_read=sum(count.rows for count in result.files),
            rows_used=sum(count.accepted for count in result.files),
            skipped_rows=sum(count.rows - count.accepted for count in result.files),
            guesses=tuple(
                Guess(about=g.subject, chosen=g.taken, because=g.why, change=g.change) for g in result.guesses
            ),
            problems=result.problems,
            column_map={headers[0]: name for table in tables for name, headers in table.columns.items() if headers},
            name_proposals=tuple(tuple(group) for group in proposals.values()),
            unknown_columns=tuple(header for table in tables for header in table.left_out),
        )


def _none() -> pl.DataFrame:
    return pl.DataFrame()


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """All sections of the run page.

    ``scores``, ``worklist``, ``decisions``, ``cash_daily``, ``cash_weekly``: the columns of cli.md.
    ``not_worked``, ``resolution``, ``assumptions``: as in ``science.decisions.Plan``; the first needs customer_id,
    reason, open_minor and currency, and shows name and detail where they are.
    ``drafts``: file name (as in ``worklist.draft``) -> text. ``names``: customer_id -> name, where known.
    ``deterioration``, ``concentration``, ``segments``: the frames of ``science.timing`` (``deterioration(facts)``,
    ``concentration(facts, changes)``, ``behaviour_segments(facts).frame(facts)``).
    ``backtest``: ``BacktestReport.to_dict()``, or None when there was too little history (``backtest_missing`` then
    says why in one sentence). ``audit``: ``Audit.to_dict()`` or None.
    ``track``: past forecasts and their scores, None where no past morning could be forecast. ``movements``: why the
    outlook is another one than a week ago. ``received``: the cash that came, as known at ``as_of``.
    ``scenarios``: ``scenario_summary`` of every what-if question, and ``scenario_weekly`` with the weeks of them all.
    ``measures``: the long table of ``ledger.audit.measure_table``. ``model_card``: the text card of the model, shown
    in the method section. ``headlines`` may stay empty: then DSO, late share and their like are read from the figures
    of ``audit``.
    """

    identity: RunIdentity
    scores: pl.DataFrame
    headlines: Sequence[Headline] = ()
    worklist: pl.DataFrame = field(default_factory=_none)
    decisions: pl.DataFrame = field(default_factory=_none)
    not_worked: pl.DataFrame = field(default_factory=_none)
    resolution: pl.DataFrame = field(default_factory=_none)
    assumptions: Sequence[str] = ()
    drafts: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    cash_daily: pl.DataFrame = field(default_factory=_none)
    cash_weekly: pl.DataFrame = field(default_factory=_none)
    track: TrackRecord | None = None
    movements: Sequence[Movement] = ()
    received: pl.DataFrame = field(default_factory=_none)
    scenarios: Sequence[Mapping[str, Any]] = ()
    scenario_weekly: pl.DataFrame = field(default_factory=_none)
    deterioration: pl.DataFrame = field(default_factory=_none)
    concentration: pl.DataFrame = field(default_factory=_none)
    segments: pl.DataFrame = field(default_factory=_none)
    measures: pl.DataFrame = field(default_factory=_none)
    imported: ImportNotes = field(default_factory=ImportNotes)
    backtest: Mapping[str, Any] | None = None
    backtest_missing: str = ""
    audit: Mapping[str, Any] | None = None
    model_card: str = ""
    notices: Sequence[str] = ()
    locale: str = "en_US"
