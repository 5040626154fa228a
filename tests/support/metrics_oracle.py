"""The measures of ``ledger.metrics`` a second time, in SQL on DuckDB, from the raw tables and the written definitions.

Nothing here uses the product's balances: open amounts, clearing days and everything else are derived anew. ``keys`` is
a tuple of levels; every answer is a dict from level values and currency to the figures of that group.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

from duecourse.ledger.as_of import Ledger
from duecourse.ledger.schema import TABLES

Answer = dict[tuple[Any, ...], tuple[Any, ...]]

_BASE = """
create table i as select v.*, coalesce(v.entity_id, '') as entity, coalesce(c.segment, '') as segment,
    coalesce(c.parent_id, '') as parent_id
  from seen_invoices v left join seen_customers c using (customer_id);
create table a as select s.* , i.issued_on, i.due_on, i.currency, i.customer_id, i.entity, i.segment, i.parent_id
  from seen_allocations s join i using (invoice_id);
create macro live(till) as table
  select * from a where applied_on < till and (reversed_on is null or reversed_on >= till);
create macro owed(till) as table
  select i.*, greatest(i.amount_minor - coalesce(p.paid, 0), 0) as open_minor, date_diff('day', i.due_on, till) as late
  from i left join (select invoice_id, sum(amount_minor) as paid from live(till) group by 1) p using (invoice_id)
  where i.issued_on < till;
create table closed as
  select i.*, case when done then coalesce(last_on, issued_on) end as cleared_on,
    case when not done then null
         when lost > 0 and lost >= cash and lost >= credited then 'written_off'
         when credited > 0 and credited >= cash then 'credited' else 'paid' end as closed_as
  from (select i.*, coalesce(total, 0) >= i.amount_minor as done, last_on, coalesce(lost, 0) as lost,
          coalesce(credited, 0) as credited, coalesce(cash, 0) as cash
        from i left join (select invoice_id, sum(amount_minor) as total, max(applied_on) as last_on,
            sum(amount_minor) filter (source_kind = 'write_off') as lost,
            sum(amount_minor) filter (source_kind = 'credit') as credited,
            sum(amount_minor) filter (source_kind not in ('credit', 'write_off')) as cash
          from live(day()) group by invoice_id) using (invoice_id)) i;
"""


class Oracle:
    """Answers by SQL about one ledger as known at one day."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, day: date) -> None:
        self.connection, self.day = connection, day
        self._asked: dict[str, Answer] = {}

    def ask(self, keys: Sequence[str], sql: str, **values: Any) -> Answer:
        """Group -> figures; ``{k}`` in the text is the list of keys, ``{j}`` the join of g and s on them."""
        names = ["entity" if key == "entity_id" else key for key in keys] + ["currency"]
        text = sql.format(
            k=", ".join(names),
            j=" and ".join(f"g.{name} = s.{name}" for name in names),
            g=f"(select distinct {', '.join(names)} from i)",  # noqa: S608 - names of columns
            **{
                short: ", ".join(f"{of}.{name}" for name in names)
                for short, of in (("gk", "g"), ("l", "s"), ("o", "lives"))
            },
        )
        used = {name: value for name, value in values.items() if f"${name}" in text}
        question = f"{text} {used}"
        if question not in self._asked:
            rows = self.connection.execute(text, used).fetchall()
            self._asked[question] = {tuple(row[: len(names)]): tuple(row[len(names) :]) for row in rows}
        return self._asked[question]

    def holds(self, rows: str) -> bool:
        """Whether the books hold any such row (``table where ...``)."""
        found = self.connection.execute(f"select count(*) from {rows}").fetchall()  # noqa: S608 - own text
        return bool(found[0][0])

    def receivables(self, keys: Sequence[str], at: date) -> Answer:
        return self.ask(keys, """select {gk}, coalesce(ar, 0)::bigint, coalesce(past, 0)::bigint from {g} g left join (
            select {k}, sum(open_minor) as ar, sum(open_minor) filter (due_on < $at) as past
            from owed($at::date) group by {k}) s on {j}""", at=at)  # fmt: skip

    def sales(self, keys: Sequence[str], start: date, end: date) -> Answer:
        return self.ask(keys, """select {gk}, coalesce(total, 0)::bigint from {g} g left join (
            select {k}, sum(amount_minor) as total from i where issued_on >= $start and issued_on < $end
            and coalesce(kind, 'invoice') in ('invoice', 'debit_note') group by {k}) s on {j}""",
            start=start, end=end)  # fmt: skip

    def countback(self, keys: Sequence[str], at: date) -> Answer:
        """Month by month on a dense grid, from the latest one back."""
        return self.ask(keys, """
            with months as (select m::date as start, least((m + interval 1 month)::date, $at) as stop
                from generate_series(date_trunc('month', $at - interval 4 year), $at::timestamp, interval 1 month) t(m)
                where m < $at),
            debt as (select {k}, coalesce(sum(open_minor), 0) as ar from owed($at::date) group by {k}),
            grid as (select g.*, months.*, coalesce(debt.ar, 0) as ar, coalesce((select sum(amount_minor) from i
                    where struct_pack({k}) = struct_pack({gk}) and issued_on >= start and issued_on < stop
                    and coalesce(kind, 'invoice') in ('invoice', 'debit_note')), 0) as sold
                from {g} g cross join months left join debt using ({k})),
            run as (select *, ar - coalesce(sum(sold) over (partition by {k} order by start desc
                rows between unbounded preceding and 1 preceding), 0) as rest from grid)
            select {k}, case when max(ar) > sum(sold) then null else sum(case when rest <= 0 then 0
                when sold >= rest then date_diff('day', start, stop) * rest / sold
                else date_diff('day', start, stop) end) end from run group by {k}""", at=at)  # fmt: skip

    def true_dso(self, keys: Sequence[str], at: date) -> Answer:
        return self.ask(keys, """with sold as (select {k}, date_trunc('month', issued_on) as m, sum(amount_minor) as s
              from i where issued_on < $at and coalesce(kind, 'invoice') in ('invoice', 'debit_note') group by all)
            select {gk}, case when bool_or(lacks) then null else coalesce(sum(part), 0) end from {g} g left join (
              select o.*, coalesce(s, 0) <= 0 as lacks,
                date_diff('day', issued_on, $at) * open_minor / nullif(s, 0) as part
              from (select *, date_trunc('month', issued_on) as m from owed($at::date) where open_minor > 0) o
              left join sold using ({k}, m)) s on {j} group by {gk}""", at=at)  # fmt: skip

    def ageing(self, keys: Sequence[str], at: date) -> Answer:
        return self.ask(keys, """select {k}, count(*) filter (late <= 0), sum(open_minor) filter (late <= 0),
            count(*) filter (late between 1 and 30), sum(open_minor) filter (late between 1 and 30),
            count(*) filter (late between 31 and 60), sum(open_minor) filter (late between 31 and 60),
            count(*) filter (late between 61 and 90), sum(open_minor) filter (late between 61 and 90),
            count(*) filter (late >= 91), sum(open_minor) filter (late >= 91)
            from owed($at::date) where open_minor > 0 group by {k}""", at=at)  # fmt: skip

    def rolls(self, keys: Sequence[str], at: date) -> Answer:
        """For each of the four steps the balance in its bucket 30 days before and in the next bucket now."""
        steps = ((-999999, 0), (1, 30), (31, 60), (61, 90), (91, 120))
        sums = ", ".join(
            f"coalesce((select sum(open_minor) from {book} s "  # noqa: S608 - own text
            f"where {{j}} and late between {low} and {high}), 0)::bigint"
            for pair in pairwise(steps)
            for book, (low, high) in zip(("old", "new"), pair, strict=True)
        )
        return self.ask(
            keys,
            "with old as (select * from owed($before::date)), new as (select * from owed($at::date)) "  # noqa: S608 - own text
            f"select {{gk}}, {sums} from {{g}} g",
            at=at,
            before=at - timedelta(days=30),
        )

    def cure(self, keys: Sequence[str], at: date) -> Answer:
        return self.ask(keys, """select {gk}, coalesce(sum(s.open_minor), 0)::bigint, coalesce(sum(least(s.open_minor,
              (select coalesce(sum(l.amount_minor), 0) from live($at::date) l where l.invoice_id = s.invoice_id and
               l.applied_on >= $before and l.source_kind not in ('credit', 'write_off')))), 0)::bigint
            from {g} g left join (select * from owed($before::date) where late > 0 and open_minor > 0) s on {j}
            group by {gk}""", at=at, before=at - timedelta(days=30))  # fmt: skip

    def risk(self, keys: Sequence[str], at: date) -> Answer:
        """Invoices, reached, amount, reached amount of the mature months; ``due_month`` may be among the keys."""
        return self.ask(keys, """select {k}, count(*), count(*) filter (hit), sum(amount_minor)::bigint,
            coalesce(sum(amount_minor) filter (hit), 0)::bigint from (select *,
              date_trunc('month', due_on)::date as due_month, (closed_as is null or
              cleared_on >= $at or closed_as = 'written_off' or cleared_on - due_on >= 90) as hit from closed
              where issued_on < $at and last_day(due_on) + 90 < $at
              and due_on >= date_trunc('month', $at - 90) - interval 12 month) group by {k}""", at=at)  # fmt: skip

    def paid(self, keys: Sequence[str], start: date, end: date) -> Answer:
        return self.ask(keys, """select {gk}, count(s.invoice_id), coalesce(sum(amount_minor), 0)::bigint,
              sum(amount_minor * (cleared_on - issued_on)) / nullif(sum(amount_minor), 0),
              sum(amount_minor * (cleared_on - due_on)) / nullif(sum(amount_minor), 0)
            from {g} g left join (select * from closed where closed_as = 'paid' and cleared_on >= $start
              and cleared_on < $end_) s on {j} group by {gk}""", start=start, end_=end)  # fmt: skip

    def survival(self, keys: Sequence[str], start: date, end: date) -> Answer:
        return self.ask(keys, """with lives as (select {k}, closed_as = 'paid' and cleared_on < $end_ as event,
              greatest(case when closed_as in ('paid', 'credited') and cleared_on < $end_ then cleared_on
                else $end_ end - issued_on, 0) as t from closed where issued_on >= $start and issued_on < $end_),
            steps as (select {k}, t, count(*) filter (coalesce(event, false)) as d,
              (select count(*) from lives s where s.t >= lives.t and struct_pack({l}) = struct_pack({o})) as n
              from lives group by all),
            curve as (select {k}, t, product(1 - d / n) over (partition by {k} order by t) as s from steps)
            select {k}, min(t) filter (s <= 0.5 + 1e-9) from curve group by {k}""", start=start, end_=end)  # fmt: skip

    def late(self, keys: Sequence[str], start: date, at: date, more: int) -> Answer:
        return self.ask(keys, """select {k}, count(*), count(*) filter (hit), sum(amount_minor),
            coalesce(sum(amount_minor) filter (hit), 0) from (select *, (closed_as is null or cleared_on >= $at or
              closed_as = 'written_off' or cleared_on - due_on > $more) as hit from closed where issued_on < $at
              and due_on >= $start and due_on < $at and due_on + $more::int < $at
              and coalesce(closed_as, '') <> 'credited') group by {k}""", start=start, at=at, more=more)  # fmt: skip

    def dilution(self, keys: Sequence[str], start: date, at: date) -> Answer:
        return self.ask(keys, """with credits as (
              select x.amount_minor, x.currency, x.customer_id, coalesce(v.entity, '') as entity,
                c.segment, c.parent_id from seen_credits x left join i v using (invoice_id)
                join (select distinct customer_id, segment, parent_id from i) c on c.customer_id = x.customer_id
                where x.issued_on >= $start and x.issued_on < $at
              union all by name select amount_minor, currency, customer_id, entity, segment, parent_id
                from live($at::date)
                where source_kind = 'credit' and applied_on >= $start
                and (source_id is null or source_id not in (select credit_id from seen_credits))),
            deductions as (select coalesce(d.valid_minor, d.disputed_minor, 0) as amount_minor, i.* exclude amount_minor
              from seen_disputes d join i using (invoice_id) where d.closed_on >= $start and d.closed_on < $at
              and d.outcome in ('valid', 'partly_valid') and d.credit_id is null)
            select {gk}, coalesce((select sum(amount_minor) from credits s where {j}), 0)::bigint,
              coalesce((select sum(amount_minor) from deductions s where {j}), 0)::bigint,
              coalesce((select sum(amount_minor) from live($at::date) s where {j} and applied_on >= $start
                and source_kind = 'write_off'), 0)::bigint
            from (select {k} from {g} union select {k} from credits) g""", start=start, at=at)  # fmt: skip

    def unapplied(self, keys: Sequence[str], at: date) -> Answer:
        return self.ask(keys, """with p as (select v.payment_id, v.currency, v.received_on, v.amount_minor,
              coalesce(v.customer_id, '') as customer_id, v.customer_id is not null as known,
              coalesce(c.segment, '') as segment, coalesce(c.parent_id, '') as parent_id,
              greatest(amount_minor - coalesce((select sum(amount_minor)
              from seen_allocations a where a.source_id = payment_id and source_kind = 'payment' and applied_on < $at
              and (reversed_on is null or reversed_on >= $at)), 0), 0) as free from seen_payments v
              left join (select distinct customer_id, segment, parent_id from i) c using (customer_id)
              where received_on < $at and coalesce(status, 'cleared') <> 'returned')
            select {gk}, coalesce((select sum(free) from p s where {j} and known), 0)::bigint,
              coalesce((select sum(free) from p s where {j} and not known), 0)::bigint,
              coalesce((select sum(amount_minor) from p s where {j} and received_on >= $since), 0)::bigint
            from (select {k} from {g} union select {k} from p) g""", at=at, since=at - timedelta(days=30))  # fmt: skip

    def shares(self, keys: Sequence[str], at: date) -> Answer:
        """Open amount, open amount of the three largest customers, HHI."""
        return self.ask(keys, """with c as (select {k}, customer_id as who, sum(open_minor) as owes
              from owed($at::date) where open_minor > 0 group by all),
            r as (select *, row_number() over (partition by {k} order by owes desc) as place,
              sum(owes) over (partition by {k}) as total from c)
            select {k}, max(total)::bigint, (sum(owes) filter (place <= 3))::bigint, sum((owes / total) ** 2)
            from r group by {k}""", at=at)  # fmt: skip

    def followed(self, keys: Sequence[str], at: date, days: int, *, response: bool) -> Answer:
        channels = (
            "('email', 'sms', 'letter', 'portal')" if response else "('email','sms','letter','portal','call','meeting')"
        )
        same = "and l.entity = who.entity" if "entity_id" in keys else ""
        answered = """or exists (select 1 from seen_activities b where b.customer_id = t.customer_id and
              (b.direction = 'in' or b.outcome in ('clicked', 'replied')) and b.occurred_at::date < $at and
              b.occurred_at::date - t.d between 0 and $days)
            or exists (select 1 from seen_promises b where b.customer_id = t.customer_id and b.promised_on < $at and
              b.promised_on - t.d between 0 and $days)""" if response else ""  # fmt: skip
        return self.ask(keys, f"""with t as (select customer_id, occurred_at::date as d from seen_activities
              where direction = 'out' and channel in {channels} and occurred_at::date < $stop
              and occurred_at::date >= $stop - 90),
            who as (select distinct {{k}}, t.customer_id as c, t.d from t join i using (customer_id)),
            hit as (select distinct {{k}}, c, exists (select 1 from live($at::date) l where l.customer_id = who.c
                and l.currency = who.currency {same} and l.source_kind = 'payment'
                and l.applied_on - who.d between 0 and $days)
                {answered.replace("t.customer_id", "who.c").replace("t.d", "who.d")} as yes from who)
            select {{gk}}, count(distinct c), count(distinct c) filter (yes) from {{g}} g left join hit s on {{j}}
            group by {{gk}}""", at=at, days=days, stop=at - timedelta(days=days))  # noqa: S608 # fmt: skip

    def to_cash(self, keys: Sequence[str], at: date, days: int) -> Answer:
        """contacted, paid within ``days``, and the ceil(n/2)-th smallest wait where so many paid."""
        same = "and l.entity = w.entity" if "entity_id" in keys else ""
        return self.ask(keys, f"""with t as (select customer_id, min(occurred_at::date) as d from seen_activities
              where direction = 'out' and channel <> 'note' and occurred_at::date < $stop
              and occurred_at::date >= $stop - 90 group by 1),
            w as (select distinct {{k}}, t.customer_id as c, t.d from t join i using (customer_id)),
            x as (select w.*, (select min(l.applied_on - w.d) from live($at::date) l where l.customer_id = w.c
                and l.currency = w.currency {same} and l.source_kind = 'payment'
                and l.applied_on between w.d and w.d + $days) as wait from w),
            r as (select *, row_number() over (partition by {{k}} order by wait nulls last) as place,
                count(*) over (partition by {{k}}) as n from x)
            select {{gk}}, count(c), count(wait), max(wait) filter (place = (n + 1) // 2)
            from {{g}} g left join r s on {{j}} group by {{gk}}""",  # noqa: S608 - own text
            at=at, days=days, stop=at - timedelta(days=days))  # fmt: skip

    def worked(self, keys: Sequence[str], start: date, at: date) -> Answer:
        """(customer, day) pairs and days with a contact; the currency of the answer is empty."""
        names = ", ".join([*keys, "''"])
        rows = self.connection.execute(f"""with t as (select a.customer_id, coalesce(c.segment, '') as segment,
                coalesce(c.parent_id, '') as parent_id, a.occurred_at::date as d from seen_activities a
              left join (select distinct customer_id, segment, parent_id from i) c using (customer_id)
              where direction = 'out' and channel <> 'note' and occurred_at::date >= $start and occurred_at::date < $at)
            select {names}, count(distinct (customer_id, d)), count(distinct d) from t
            {"group by all" if keys else ""}""", {"start": start, "at": at}).fetchall()  # noqa: S608 # fmt: skip
        return {tuple(row[:-2]): tuple(row[-2:]) for row in rows}

    def work(self, keys: Sequence[str], start: date, at: date) -> Answer:
        """minutes, contacts, collected."""
        joined = " and ".join(["true", *(f"t.{key} = g.{key}" for key in keys)])
        return self.ask(keys, f"""with t as (select a.* exclude (customer_id), a.customer_id,
                coalesce(c.segment, '') as segment, coalesce(c.parent_id, '') as parent_id from seen_activities a
              left join (select distinct customer_id, segment, parent_id from i) c using (customer_id)
              where occurred_at::date >= $start and occurred_at::date < $at)
            select {{gk}}, coalesce((select sum(minutes) from t where {joined}), 0)::double,
              (select count(*) from t where {joined} and direction = 'out' and channel <> 'note'),
              coalesce((select sum(amount_minor) from live($at::date) s where {{j}} and source_kind = 'payment'
                and applied_on >= $start), 0)::bigint
            from {{g}} g""", start=start, at=at)  # noqa: S608 # fmt: skip

    def touchless(self, keys: Sequence[str], start: date, end: date) -> Answer:
        return self.ask(keys, """select {gk}, count(s.invoice_id),
              count(*) filter (exists (select 1 from seen_activities b
              where (b.channel in ('call', 'meeting', 'note') or b.minutes > 0)
              and b.occurred_at::date between s.issued_on and s.cleared_on
              and case when len(coalesce(b.invoice_ids, [])) > 0 then list_contains(b.invoice_ids, s.invoice_id)
                  else b.customer_id = s.customer_id end))
            from {g} g left join (select * from closed where closed_as = 'paid' and cleared_on >= $start
              and cleared_on < $end_) s on {j} group by {gk}""", start=start, end_=end)  # fmt: skip

    def promises(self, keys: Sequence[str], start: date, at: date) -> Answer:
        """promises, kept, part_kept, broken, promised, arrived."""
        return self.ask(keys, """with p as (select v.*, coalesce(c.segment, '') as segment,
                coalesce(c.parent_id, '') as parent_id,
                (select case when count(distinct entity) = 1 then min(entity) else '' end from i
                  where case when len(coalesce(v.invoice_ids, [])) > 0 then list_contains(v.invoice_ids, i.invoice_id)
                    else i.customer_id = v.customer_id end) as entity,
                due_on - greatest(isodow(due_on) - 5, 0)::int
                  + case when least(isodow(due_on), 5) <= 3 then 2 else 4 end as until_
              from seen_promises v
              left join (select distinct customer_id, segment, parent_id from i) c using (customer_id)
              where promised_on < $at),
            m as (select p.*, least(amount_minor, coalesce((select sum(l.amount_minor) from live($at::date) l
                where l.source_kind = 'payment' and l.currency = p.currency
                and l.applied_on between p.promised_on and p.until_
                and case when len(coalesce(p.invoice_ids, [])) > 0 then list_contains(p.invoice_ids, l.invoice_id)
                  else l.customer_id = p.customer_id end), 0)) as came
              from p where until_ < $at and due_on >= $start and amount_minor > 0
              and not exists (select 1 from p q where q.customer_id = p.customer_id and q.currency = p.currency
                and q.promised_on > p.promised_on and q.promised_on <= p.until_))
            select {gk}, count(s.promise_id), count(*) filter (came >= amount_minor),
              count(*) filter (came < amount_minor and came >= amount_minor / 2),
              count(*) filter (came < amount_minor / 2),
              coalesce(sum(amount_minor), 0)::bigint, coalesce(sum(came), 0)::bigint
            from (select {k} from {g} union select {k} from m) g left join m s on {j} group by {gk}""",
            start=start, at=at)  # fmt: skip

    def disputes(self, keys: Sequence[str], start: date, at: date) -> Answer:
        """closed, median days, P90 days, favour ratio, open disputed, opened in 90 days."""
        return self.ask(keys, """with d as (select i.* exclude amount_minor, s.*,
                least(coalesce(disputed_minor, amount_minor), amount_minor) as worth,
                coalesce(closed_on >= $start and closed_on < $at, false) as done
              from seen_disputes s join i using (invoice_id) where opened_on < $at)
            select {gk}, count(*) filter (done), median(closed_on - opened_on) filter (done),
              quantile_cont(closed_on - opened_on, 0.9) filter (done),
              count(*) filter (done and outcome in ('valid', 'partly_valid'))
                / nullif(count(*) filter (done and outcome in ('valid', 'partly_valid', 'invalid')), 0),
              coalesce(sum(worth) filter (closed_on is null or closed_on >= $at), 0)::bigint,
              coalesce(sum(worth) filter (opened_on >= $at::date - 90), 0)::bigint
            from {g} g left join d s on {j} group by {gk}""", start=start, at=at)  # fmt: skip


@contextmanager
def oracle(ledger: Ledger, day: date, folder: Path) -> Iterator[Oracle]:
    """An oracle for ``ledger`` as known at the start of ``day``; ``folder`` takes the Parquet files."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'; set threads = 1; set enable_progress_bar = false")
        connection.execute(f"create macro day() as date '{day}'")
        for name, table in TABLES.items():
            if table.parent is not None:
                continue
            path = folder / f"{name}.parquet"
            ledger.table(name).write_parquet(path)
            connection.execute(
                f"""create table seen_{name} as select * exclude (age) from (
                  select *, row_number() over (partition by {table.key[0]} order by recorded_at desc nulls last) as age
                  from read_parquet('{path}') where recorded_at is null or recorded_at < day()::timestamptz)
                where age = 1 and (voided_at is null or voided_at >= day()::timestamptz)"""  # noqa: S608 - own paths
            )
        connection.execute("update seen_allocations set reversed_on = null where reversed_on >= day()")
        connection.execute(
            "update seen_disputes set outcome = null, valid_minor = null, credit_id = null, closed_on = null "
            "where closed_on >= day()"
        )
        connection.execute(_BASE)
        yield Oracle(connection, day)
