"""The contact history: a dunning ladder by weeks overdue, one consolidated contact per customer and week.

Contacts change nothing yet but bring promises (see ``fates``); calls go first, then letters, then mails.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.core.ids import uniform
from duecourse.science.simulate.books import Company, days, known_only, moments
from duecourse.science.simulate.fates import NEVER, is_reached
from duecourse.science.simulate.orders import paired
from duecourse.science.simulate.pay_calendar import Ints, week_of

MAIL, LETTER, CALL = 0, 1, 2
CHANNELS = ("email", "letter", "call")
TONES = ("soft", "neutral", "firm")


def contact_tables(company: Company, contacts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """``activities`` and ``promises`` of the history; ``contacts`` gives whom was spoken to."""
    steps = _steps(company)
    made = (
        steps.sort("week", "customer", "channel", "row")
        .filter(pl.col("channel") == pl.col("channel").max().over("week", "customer"))
        .group_by("week", "customer", maintain_order=True)
        .agg(
            pl.col("channel").first(),
            pl.col("stage").max(),
            pl.col("day").first(),
            pl.col("invoice_id").sort().alias("invoice_ids"),
        )
        .sort("day", "customer")
    )
    return _activity_rows(company, made, contacts), _promise_rows(company)


def _steps(company: Company) -> pl.DataFrame:
    """One row per invoice and ladder step at which it was open, overdue and undisputed."""
    contacting, orders = company.world.contacting, company.orders
    parts = []
    for channel, weeks in (
        (MAIL, contacting.mail_weeks), (CALL, contacting.call_weeks), (LETTER, contacting.letter_weeks),
    ):  # fmt: skip
        for stage, age in enumerate(weeks):
            week = week_of(orders.due + 7 * age + 6)
            day = week * 7 - 3 + company.customers.call_weekday[orders.customer]
            rows = np.flatnonzero(_is_open(company, week, day))
            parts.append(pl.DataFrame({
                "row": rows, "week": week[rows], "customer": orders.customer[rows], "day": day[rows],
                "channel": np.full(rows.size, channel), "stage": np.full(rows.size, stage),
                "invoice_id": np.array(orders.ids, dtype=np.str_)[rows],
            }, schema_overrides={"invoice_id": pl.String}))  # fmt: skip
    return pl.concat(parts)


def _is_open(company: Company, week: Ints, day: Ints) -> npt.NDArray[np.bool_]:
    fates = company.fates
    unpaid = (fates.cleared == NEVER) | (fates.cleared >= day)
    kept = (fates.written_off == NEVER) | (fates.written_off > day)
    ended = company.claims.dispute_closed
    still = (ended == NEVER) | (ended > week * 7 - 3)
    disputed = (fates.dispute_opened != NEVER) & (fates.dispute_opened <= day) & still
    is_open: npt.NDArray[np.bool_] = unpaid & kept & ~disputed & (day < company.book[1])
    return is_open


def _activity_rows(company: Company, made: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    customers, seed = company.customers, company.seed
    owner, week, day = (made[name].to_numpy() for name in ("customer", "week", "day"))
    channel, stage = made["channel"].to_numpy(), made["stage"].to_numpy()
    codes = paired(customers.codes[owner], week)
    reached = np.zeros(made.height, dtype=bool)
    for each in np.unique(week).tolist():
        at = week == each
        reached[at] = is_reached(company.world, seed, customers.codes[owner[at]], each)
    luck = uniform(seed, "answer", codes)
    call = channel == CALL
    outcome = np.select(
        [call & reached, call & (luck < 0.6), call, luck < 0.02, luck < 0.3],
        ["reached", "voicemail", "no_answer", "bounced", "opened"],
        "delivered",
    )
    outcome = np.where(channel == LETTER, "delivered", outcome)
    minutes = np.where(call, np.where(reached, 8 + np.round(7 * luck), 3.0), np.where(channel == LETTER, 2.0, 0.0))
    tone = np.where(channel == LETTER, 2, np.where(call, 1, stage))
    minute = (600 * uniform(seed, "contact minute", codes)).astype(np.int64)
    when = moments(day, 8 + minute // 60, minute % 60)
    first_contact = contacts.group_by("customer_id", maintain_order=True).agg(pl.col("contact_id").first())
    return known_only(
        made.select(
            (pl.lit("ACT-") + pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(7)).alias("activity_id"),
            pl.Series("customer_id", np.array(customers.ids)[owner], dtype=pl.String),
            pl.Series("channel", np.array(CHANNELS)[channel], dtype=pl.String),
            pl.lit("out").alias("direction"),
            when.alias("occurred_at"),
            "invoice_ids",
            pl.Series("tone", np.array(TONES)[tone], dtype=pl.String),
            (pl.lit("history_") + pl.Series("c", np.array(CHANNELS)[channel], dtype=pl.String)).alias("template"),
            pl.Series("minutes", minutes),
            pl.Series("outcome", outcome, dtype=pl.String),
            when.alias("recorded_at"),
        ).join(first_contact, on="customer_id", how="left", maintain_order="left"),
        company,
    )


def _promise_rows(company: Company) -> pl.DataFrame:
    promised, orders, claims = company.fates.promised, company.orders, company.claims
    rows = promised.invoice
    noted = (claims.note_on[rows] != NEVER) & (claims.note_on[rows] < promised.called_on)
    left = orders.amount_minor[rows] - claims.dispute_credit_minor[rows] - claims.note_minor[rows] * noted
    items = pl.DataFrame({
        "row": rows, "customer": orders.customer[rows], "called": promised.called_on, "due": promised.due_on,
        "amount_minor": left, "invoice_id": np.array(orders.ids, dtype=np.str_)[rows],
    }, schema_overrides={"invoice_id": pl.String}).sort("called", "customer", "row")  # fmt: skip
    grouped = items.group_by("called", "customer", maintain_order=True).agg(
        pl.col("due").first(), pl.col("amount_minor").sum(), pl.col("invoice_id").alias("invoice_ids")
    )
    owner, called = grouped["customer"].to_numpy(), grouped["called"].to_numpy()
    codes = paired(company.customers.codes[owner], week_of(called))
    minute = (600 * uniform(company.seed, "contact minute", codes)).astype(np.int64)
    return known_only(
        grouped.select(
            (pl.lit("PROM-") + pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(6)).alias("promise_id"),
            pl.Series("customer_id", np.array(company.customers.ids)[owner], dtype=pl.String),
            days(called).alias("promised_on"),
            days(grouped["due"].to_numpy()).alias("due_on"),
            "amount_minor",
            pl.Series("currency", np.array(company.customers.currencies)[owner], dtype=pl.String),
            "invoice_ids",
            pl.lit("call").alias("source"),
            moments(called, 8 + minute // 60, minute % 60).alias("recorded_at"),
        ),
        company,
    )
