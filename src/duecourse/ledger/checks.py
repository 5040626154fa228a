"""The invariants of the ledger, as vector expressions over whole tables: on load with file and row, later with the id.

Three stages, each on what the one before left standing: rows by themselves (``row_findings``), rows that name rows of
other tables (``link_findings``), and sums of money (``money_findings``). Sums are taken over the newest version of
every row: a view of the past may be over-allocated for as long as the books themselves were.

Payer and debtor: a payment or credit settles invoices of its own customer. It may settle those of another customer only
where a link says so: both belong to one group by ``customers.parent_id``, or the payment names no customer (a third
party such as a factor pays; ``payer_name`` says who).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from duecourse.core.errors import Problem
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.balances import live_allocations
from duecourse.ledger.findings import ROW, Finding, finding
from duecourse.ledger.metrics.ageing import ageing
from duecourse.ledger.schema import TABLES, Table

Frames = Mapping[str, pl.DataFrame]
DEEPEST_GROUP = 10  # parents of parents that are followed

# (table, earlier date, later date): the later one may be missing, but never lies before the earlier one.
DATE_ORDER = (
    ("invoices", "issued_on", "due_on"),
    ("payments", "received_on", "recorded_at"),
    ("allocations", "applied_on", "reversed_on"),
    ("promises", "promised_on", "due_on"),
    ("disputes", "opened_on", "closed_on"),
    ("decisions", "decided_at", "executed_at"),
)
# Amounts that may be zero but never negative; what lowers a debt is a credit or an allocation, not a minus sign.
NOT_NEGATIVE = (
    ("invoices", "amount_minor"), ("credits", "amount_minor"), ("payments", "amount_minor"),
    ("promises", "amount_minor"), ("disputes", "disputed_minor"), ("disputes", "valid_minor"),
)  # fmt: skip
# Rows that mean nothing without the invoice they name.
NEEDS_INVOICE = ("invoice_lines", "allocations", "disputes")
# The table in which an allocation of this kind finds its source.
SOURCE_TABLE = {"payment": "payments", "credit": "credits"}


def invariant_problems(ledger: Ledger) -> tuple[Problem, ...]:
    """Every invariant of the ledger that its rows break, with table, column and id; empty when all hold."""
    frames = {name: frame.with_row_index(ROW) for name, frame in ledger.tables.items()}
    findings = [found for name in frames for found in row_findings(TABLES[name], frames[name])]
    findings += link_findings(frames, frames)
    findings += money_findings(frames)
    problems = [problem for found in findings for problem in _by_id(found, frames[found.table])]
    return (*problems, *_control_total_problems(ledger))


def _by_id(found: Finding, frame: pl.DataFrame) -> list[Problem]:
    """The problems of one finding with the id of the row in place of a row number."""
    key = TABLES[found.table].key[0]
    ids = frame.select(ROW, key).join(found.rows.select(ROW), on=ROW, how="semi")
    id_of = dict(ids.iter_rows())
    return [
        Problem(found.table, None, problem.column, f"{key} {id_of.get(problem.row)}: {problem.value}",
                problem.expected, problem.cure)
        for problem in found.problems(found.table)
    ]  # fmt: skip


def row_findings(table: Table, frame: pl.DataFrame) -> list[Finding]:
    """What is wrong with rows by themselves: ids, order of dates, signs, instalments. ``frame`` has ROW."""
    findings = duplicates(table, frame)
    for name, earlier, later in DATE_ORDER:
        if name == table.name:
            before = pl.col(later).cast(pl.Date) < pl.col(earlier).cast(pl.Date)
            days = [pl.col(column).cast(pl.Date).cast(pl.String) for column in (earlier, later)]
            expected = pl.format(f"a day on or after {earlier} {{}}", days[0])
            findings += finding(frame, before, days[1], table=name, column=later, expected=expected)
    for name, column in NOT_NEGATIVE:
        if name == table.name:
            findings += finding(
                frame, pl.col(column) < 0, pl.col(column), table=name, column=column, expected="zero or more",
                cure="write what lowers a debt as a credit or an allocation",
            )  # fmt: skip
    if table.name == "allocations":
        findings += finding(
            frame, pl.col("amount_minor") <= 0, pl.col("amount_minor"), table=table.name, column="amount_minor",
            expected="more than zero", cure="take an allocation back with reversed_on",
        )  # fmt: skip
    if table.name == "plans":
        findings += _bad_instalments(frame)
    return findings


def duplicates(table: Table, frame: pl.DataFrame) -> list[Finding]:
    """Rows that repeat the id and the ``recorded_at`` of a row before them; so do two rows without ``recorded_at``."""
    version = [*table.key, *(["recorded_at"] if "recorded_at" in frame.columns else [])]
    if not frame.select(version).is_duplicated().any():
        return []
    again = ~pl.struct(version).is_first_distinct()
    return finding(
        frame, again, pl.col(table.key[0]), table=table.name, column=table.key[0],
        expected=f"each {', '.join(table.key)} once per recorded_at",
        cure="leave the row out, or give a newer version of the same thing its own recorded_at",
    )  # fmt: skip


def _bad_instalments(plans: pl.DataFrame) -> list[Finding]:
    parts = plans.select(ROW, "instalments").explode("instalments").drop_nulls("instalments")
    day = pl.col("instalments").str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    form = pl.col("instalments").str.contains(r"^\d{4}-\d{2}-\d{2}:\d{1,15}$")
    return finding(
        parts, day.is_null() | ~form, pl.col("instalments"), table="plans", column="instalments",
        expected="date:minor joined by ; such as 2026-12-01:50000;2027-01-01:50000",
    )  # fmt: skip


def link_findings(frames: Frames, known: Frames) -> list[Finding]:
    """Rows whose invoice or source does not exist, or is in another currency or of another customer.

    ``known`` is where ids are looked up: on load all rows of the files, so that a row which is bad for another reason
    does not make its followers bad too.
    """
    if "invoices" not in known:
        return []  # its file could not be read, which is reported; every other row would be reported with it
    findings: list[Finding] = []
    invoice_ids = known["invoices"].get_column("invoice_id")
    for name in NEEDS_INVOICE:
        if name in frames:
            findings += finding(
                frames[name], ~pl.col("invoice_id").is_in(invoice_ids.implode()), pl.col("invoice_id"), table=name,
                column="invoice_id", expected="an invoice that is in the table invoices",
                cure="add the invoice or leave the row out",
            )  # fmt: skip
    if "allocations" in frames:
        for kind, source in SOURCE_TABLE.items():
            if source in frames:
                findings += _source_findings(frames, known, kind, source)
    return findings


def _source_findings(frames: Frames, known: Frames, kind: str, source: str) -> list[Finding]:
    """Allocations of one kind against the table of their source."""
    key = TABLES[source].key[0]
    from_source = frames["allocations"].filter((pl.col("source_kind") == kind) & pl.col("source_id").is_not_null())
    ids = known[source].get_column(key)
    missing = finding(
        from_source, ~pl.col("source_id").is_in(ids.implode()), pl.col("source_id"), table="allocations",
        column="source_id", expected=f"a {key} that is in the table {source}",
        cure=f"add the {kind}, or leave source_id empty when it is not known",
    )  # fmt: skip
    group = _groups(frames.get("customers"))
    linked = (
        from_source.select(ROW, "invoice_id", "source_id")
        .join(_newest(frames, source).select(pl.col(key).alias("source_id"), pl.col("customer_id").alias("payer"),
                                             pl.col("currency").alias("paid_in")), on="source_id", how="inner")
        .join(_newest(frames, "invoices").select("invoice_id", "customer_id", "currency"), on="invoice_id", how="inner")
    )  # fmt: skip
    mixed = finding(
        linked, pl.col("paid_in") != pl.col("currency"), pl.col("source_id"), table="allocations", column="source_id",
        expected=pl.format(f"a {kind} in {{}} like the invoice, this one is in {{}}", "currency", "paid_in"),
        cure="convert the source before it is allocated",
    )  # fmt: skip
    strangers = linked.filter(pl.col("payer") != pl.col("customer_id"))
    if strangers.height and group is not None:
        strangers = (
            strangers.join(group.rename({"customer_id": "payer", "root": "payer_root"}), on="payer", how="left")
            .join(group, on="customer_id", how="left")
            .filter((pl.col("payer_root") == pl.col("root")).fill_null(False).not_())
        )
    foreign = finding(
        strangers, pl.lit(True), pl.col("source_id"), table="allocations", column="source_id",
        expected=pl.format(
            f"a {kind} of the invoice's customer {{}} or of its group, this one is of {{}}", "customer_id", "payer"
        ),
        cure="link the customers by parent_id, or leave the customer_id of a third party's payment empty",
    )  # fmt: skip
    return [*missing, *mixed, *foreign]


def _newest(frames: Frames, name: str) -> pl.DataFrame:
    """The newest version of each row that is not voided, of a table that is being checked."""
    table = TABLES[name]
    frame = frames[name] if name in frames else table.empty()
    if frame.select(table.key).is_duplicated().any():
        frame = frame.sort("recorded_at", nulls_last=False, maintain_order=True)
        frame = frame.unique(table.key, keep="last", maintain_order=True)
    return frame.filter(pl.col("voided_at").is_null())


def _groups(customers: pl.DataFrame | None) -> pl.DataFrame | None:
    """customer_id, root: the uppermost known parent of each customer; None without a table of customers."""
    if customers is None:
        return None
    parents = _newest({"customers": customers}, "customers").select("customer_id", "parent_id")
    upward = parents.select(pl.col("customer_id").alias("root"), pl.col("parent_id").alias("above"))
    group = parents.select("customer_id", pl.coalesce("parent_id", "customer_id").alias("root"))
    for _ in range(DEEPEST_GROUP):
        group = group.join(upward, on="root", how="left").select(
            "customer_id", pl.coalesce("above", "root").alias("root")
        )
    named_only = parents.select(pl.col("parent_id").alias("customer_id")).drop_nulls().unique()
    named_only = named_only.join(parents, on="customer_id", how="anti").select("customer_id", root="customer_id")
    return pl.concat([group, named_only])


def money_findings(frames: Frames) -> list[Finding]:
    """Allocations that push what is applied to an invoice, or taken from a payment or credit, above its amount."""
    if "allocations" not in frames:
        return []
    newest = _newest(frames, "allocations").select(
        ROW, "invoice_id", "source_kind", "source_id", "applied_on", "amount_minor", "reversed_on"
    )
    findings = _over_allocated(frames, newest, "invoices", "invoice_id")
    for kind, source in SOURCE_TABLE.items():
        if source in frames:
            taken = newest.filter((pl.col("source_kind") == kind) & pl.col("source_id").is_not_null())
            findings += _over_allocated(frames, taken, source, "source_id")
    return findings


def _over_allocated(frames: Frames, allocations: pl.DataFrame, name: str, column: str) -> list[Finding]:
    """Allocations beyond the amount of the row of table ``name`` that their ``column`` names."""
    owners = _newest(frames, name).select(
        pl.col(TABLES[name].key[0]).alias("owner"), pl.col("amount_minor").alias("limit")
    )
    parts = allocations.rename({column: "owner"}).filter(
        pl.col("reversed_on").is_null() | (pl.col("reversed_on") > pl.col("applied_on"))
    )
    suspects = (  # without looking at reversals; nearly always none, so the timeline below is built for few
        parts.group_by("owner").agg(pl.col("amount_minor").sum().alias("sum_minor"))
        .join(owners, on="owner", how="inner")
        .filter(pl.col("sum_minor") > pl.col("limit"))
    )  # fmt: skip
    if suspects.is_empty():
        return []
    parts = parts.join(suspects.select("owner", "limit"), on="owner", how="inner")
    added = parts.select(
        "owner", "limit", ROW, pl.col("applied_on").alias("day"), pl.col("amount_minor").alias("change")
    )
    taken_back = parts.drop_nulls("reversed_on").select(
        "owner", "limit", ROW, pl.col("reversed_on").alias("day"), (-pl.col("amount_minor")).alias("change")
    )
    running = (  # on one day reversals come first: what counts is the total at the end of the day
        pl.concat([added, taken_back])
        .sort("owner", "day", pl.col("change") > 0, ROW)
        .with_columns(pl.col("change").cum_sum().over("owner").alias("applied"))
    )
    single = {"invoices": "invoice", "payments": "payment", "credits": "credit"}[name]
    return finding(
        running, (pl.col("change") > 0) & (pl.col("applied") > pl.col("limit")),
        pl.col("change"), table="allocations", column="amount_minor",
        expected=pl.format(f"at most {{}} allocated of {single} {{}}, here it is {{}}", "limit", "owner", "applied"),
        cure="correct the amount, or set reversed_on where an allocation was taken back",
    )  # fmt: skip


def _control_total_problems(ledger: Ledger) -> list[Problem]:
    """Open amounts per ageing bucket must add up to the control total: invoiced less applied, per currency."""
    last = _last_change(ledger)
    if last is None:
        return []
    view = ledger.as_of(last + timedelta(days=1))
    aged = ageing(view).group_by("currency").agg(pl.col("open_minor").sum().alias("aged_minor"))
    applied = live_allocations(view).select("invoice_id", (-pl.col("amount_minor")).alias("amount_minor"))
    issued = view.table("invoices").filter(pl.col("issued_on") < view.as_of)
    invoices = issued.select("invoice_id", "currency", "amount_minor")
    postings = pl.concat(
        [invoices.select("currency", "amount_minor"),
         applied.join(invoices.select("invoice_id", "currency"), on="invoice_id").select("currency", "amount_minor")]
    )  # fmt: skip
    control = postings.group_by("currency").agg(pl.col("amount_minor").sum().alias("control_minor"))
    wrong = aged.join(control, on="currency", how="full", coalesce=True).filter(
        pl.col("aged_minor").fill_null(0) != pl.col("control_minor").fill_null(0)
    )
    return [
        Problem("invoices", None, "amount_minor", f"{currency} {aged_minor}",
                f"ageing buckets that add up to the control total {control_minor}",
                "mend the allocations that exceed their invoices")
        for currency, aged_minor, control_minor in wrong.sort("currency").iter_rows()
    ]  # fmt: skip


def _last_change(ledger: Ledger) -> date | None:
    """The last day on which an invoice or an allocation was recorded, voided, applied or reversed."""
    days = [
        ledger.table(name).select(pl.col(column).cast(pl.Date).max()).item()
        for name in ("invoices", "allocations")
        for column in ("recorded_at", "voided_at", "applied_on", "reversed_on")
        if column in TABLES[name].by_name
    ]
    return max((day for day in days if day is not None), default=None)
