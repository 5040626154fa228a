"""What a plan may do by itself: levels by arm and segment, shadow, the holdout on the ladder, and the kill switch."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from functools import cache

import polars as pl
import pytest

from duecourse.core.errors import BadInput
from duecourse.ledger.autonomy import IN_SHADOW
from duecourse.ledger.schema import ARMS
from duecourse.science.decisions import DEFAULT_CAPACITY, Autonomy, Plan, plan, read_autonomy
from duecourse.science.decisions.autonomy import Standing, execution, standing_of
from duecourse.science.decisions.contact_points import gather, paying_parents
from duecourse.science.decisions.held_out import held_out, strata
from duecourse.science.decisions.learned.from_view import book_from_view
from duecourse.science.decisions.policies import spread_mails
from support.small_books import AS_OF, Book, moment, prediction

FULL = """
holdout_share = 0.05
level = 1
calibrated_on = 2026-05-20
[levels]
email_soft = 3
call_service = 4
[segments.chronic]
level = 2
call_service = 1
"""


def test_the_most_particular_level_counts_and_none_exceeds_what_an_arm_may_reach() -> None:
    found = read_autonomy(FULL)
    assert found.holdout_share == 0.05
    assert found.level_of("email_soft", "prompt") == 3
    assert found.level_of("email_neutral", "prompt") == 1
    assert found.level_of("email_soft", "chronic") == 2
    assert found.level_of("call_service", "chronic") == 1
    assert found.level_of("call_service", "new") == 4
    assert Autonomy(level=4).level_of("email_firm", "new") == 2
    killed = Autonomy(level=4, kill_switch=True)
    assert {killed.level_of(arm, "new") for arm in ARMS} == {2}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("level = ", "autonomy.toml is not TOML"),
        ("levle = 2", "column levle: '2': expected one of holdout_share"),
        ("level = 5", "column level: '5': expected a number from 0 to 4"),
        ("level = 1.5", "column level: '1.5': expected a whole number of a level: 0 replay, 1 shadow, 2 approve"),
        ("holdout_share = 0.6", "column holdout_share: '0.6': expected a number from 0 to 0.5"),
        ("kill_switch = 1", "column kill_switch: '1': expected true or false"),
        ('calibrated_on = "2026-05-20"', "expected a date without quotes"),
        ("levels = 2", "column levels: '2': expected a table of lines"),
        ("[levels]\nfax = 2", "column levels.fax: '2': expected one of none, email_soft"),
        ("[levels]\nemail_firm = 3", "column levels.email_firm: '3': expected at most 2: a person releases this act"),
        ("[segments.late]\nlevel = 2", "column segments.late"),
        ("[segments.prompt]\nemail_soft = true", "column segments.prompt.email_soft: 'true': expected a number"),
    ],
)
def test_a_bad_file_is_named_with_its_cure(text: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_autonomy(text)
    assert said in str(caught.value)


def test_what_falls_on_an_arm_in_shadow_is_in_shadow_and_the_rest_is_drawn_among_live_arms() -> None:
    some = Autonomy(levels={"call_service": 1})
    chances = {"none": 0.2, "email_soft": 0.3, "call_service": 0.5}
    assert standing_of("call_service", chances, "new", some) == Standing("shadow", 1, frozenset())
    assert standing_of("email_soft", chances, "new", some) == Standing("policy", 2, frozenset({"call_service"}))
    assert standing_of("none", chances, "new", some) == Standing("policy", 2, frozenset({"call_service"}))
    assert standing_of("none", chances, "new", Autonomy(level=1)).stratum == "shadow"
    assert standing_of("none", {"none": 1.0}, "new", Autonomy(level=1)).stratum == "policy"


def test_an_act_leaves_by_itself_only_at_its_level_and_without_a_reason_for_a_person() -> None:
    soft, call = Standing("policy", 3, frozenset()), Standing("policy", 4, frozenset())
    assert execution("email_soft", soft, "") == "automatic"
    assert execution("email_soft", soft, "strategic") == "approve"
    assert execution("call_service", soft, "") == "approve"
    assert execution("call_service", call, "") == "automatic"
    assert execution("email_firm", Standing("policy", 2, frozenset()), "") == "approve"
    assert execution("email_soft", Standing("shadow", 1, frozenset()), "") == "shadow"


def book(customers: int = 60) -> Book:
    made = Book()
    for number in range(customers):
        name = f"C{number:03}"
        made.customer(name).history(name, [number % 9, number % 4, number % 30] * 3, first_due=380)
        made.invoice(f"{name}-0", name, days_late=2 + number % 40, minor=20_000 * (number + 1))
    return made


@cache
def made(policy: str = "learned", autonomy: str = "", customers: int = 60) -> Plan:
    view = book(customers).view()
    settings = read_autonomy(autonomy)
    return plan(view, prediction(view, {}), policy=policy, capacity=DEFAULT_CAPACITY, seed=1, autonomy=settings)


def test_without_a_file_a_person_approves_everything_and_the_decisions_are_the_same() -> None:
    plain = made()
    assert set(plain.worklist.get_column("execution")) == {"approve"}
    assert set(plain.decisions.get_column("stratum")) == {"policy"}
    raised = made(autonomy="level = 4")
    same = [name for name in plain.decisions.columns if name != "autonomy_level"]
    assert plain.decisions.select(same).equals(raised.decisions.select(same))
    free = raised.worklist.filter(pl.col("execution") == "automatic")
    assert set(free.get_column("arm")) <= {"email_soft", "email_neutral", "call_service", "route_dispute"}
    assert free.height > 0
    assert set(free.get_column("needs_human")) == {""}
    harsh = raised.worklist.filter(pl.col("arm").is_in(["email_firm", "call_firm"]))
    assert set(harsh.get_column("execution")) <= {"approve"}


def test_shadow_proposes_logs_and_leaves_nothing_to_do() -> None:
    shadow = made(autonomy="level = 1")
    assert set(shadow.worklist.get_column("execution")) == {"shadow"}
    assert set(shadow.decisions.get_column("stratum")) <= {"shadow", "policy"}
    acts = shadow.decisions.filter(pl.col("arm") != "none")
    assert set(acts.get_column("stratum")) == {"shadow"}
    assert set(acts.get_column("autonomy_level")) == {1}


def test_one_arm_in_shadow_leaves_exact_propensities_among_the_others() -> None:
    plain = made()
    before = {row["customer_id"]: row for row in plain.decisions.iter_rows(named=True)}
    drawn = plain.decisions.filter((pl.col("eps") > 0) & (pl.col("arm") != "none")).get_column("arm")
    hidden = str(drawn.mode().sort()[0])
    some = made(autonomy=f"[levels]\n{hidden} = 1")
    seen = {"shadow": 0, "policy": 0}
    for row in some.decisions.filter(pl.col("eps") > 0).iter_rows(named=True):
        was, now = (json.loads(one["propensities"]) for one in (before[row["customer_id"]], row))
        assert row["arm"] == before[row["customer_id"]]["arm"]
        assert math.isclose(math.fsum(now.values()), 1, abs_tol=1e-9)
        assert set(now) | set(json.loads(row["masked"])) == set(ARMS)
        seen[row["stratum"]] += 1
        if row["stratum"] == "shadow":
            assert row["arm"] == hidden
            assert now == was
        elif hidden in was:
            assert json.loads(row["masked"])[hidden] == IN_SHADOW
            left = 1 - was[hidden]
            assert now == pytest.approx({arm: p / left for arm, p in was.items() if arm != hidden})
    assert min(seen.values()) > 0


@pytest.mark.parametrize("policy", ["learned", "value_at_stake"])
def test_the_holdout_gets_what_the_ladder_gives_and_the_minutes_hold(policy: str) -> None:
    found, ladder = made(policy, "holdout_share = 0.2"), made("ladder")
    rows = found.decisions.filter(pl.col("stratum") == "guardrail_holdout")
    assert 6 <= rows.height <= 18
    assert set(rows.get_column("policy")) == {"ladder"}
    assert set(rows.get_column("propensity")) == {1.0}
    by_ladder = dict(ladder.decisions.select("customer_id", "arm").iter_rows())
    for name, arm in rows.select("customer_id", "arm").iter_rows():
        assert arm == by_ladder[name]
    others = found.decisions.filter(pl.col("stratum") == "policy")
    assert set(others.get_column("policy")) == {policy}
    assert others.height + rows.height == 60
    days = (
        found.worklist.filter(pl.col("minutes") > 0).group_by(pl.col("send_at").dt.date()).agg(pl.col("minutes").sum())
    )
    assert days.get_column("minutes").max() <= 420
    assert found.assumptions[-1].startswith(f"Holdout: {rows.height} of 60 contact points")
    again = made(policy, "holdout_share = 0.2\nlevel = 2")
    assert again.decisions.equals(found.decisions)


def test_the_kill_switch_is_the_ladder_for_all_and_says_so() -> None:
    killed, ladder = made(autonomy="kill_switch = true\nlevel = 4"), made("ladder")
    arms = ["customer_id", "arm", "propensities", "policy", "policy_version"]
    assert killed.decisions.select(arms).equals(ladder.decisions.select(arms))
    assert killed.assumptions[0].startswith("Kill switch: the ladder planned for everybody instead of learned")
    assert set(killed.worklist.get_column("execution")) == {"approve"}
    assert set(killed.decisions.get_column("autonomy_level")) == {2}


def test_the_kill_switch_over_the_ladder_names_no_other_policy() -> None:
    killed = made("ladder", "kill_switch = true")
    assert killed.assumptions[0] == (
        "Kill switch: the ladder planned for everybody; a person approves every act."
    )  # fmt: skip
    assert killed.policy == made(autonomy="kill_switch = true").policy == "ladder"
    assert made().policy == "learned"


@pytest.mark.parametrize("policy", ["learned", "value_at_stake"])
def test_the_mails_of_the_holdout_leave_on_the_same_days_as_the_others(policy: str) -> None:
    worklist = made(policy, "holdout_share = 0.5").worklist.filter(pl.col("minutes") == 0)
    days = DEFAULT_CAPACITY.business_days(AS_OF)
    for stratum in ("policy", "guardrail_holdout"):
        mails = worklist.filter(pl.col("stratum") == stratum).sort("rank").get_column("send_at").dt.date().to_list()
        assert len(mails) > len(days)
        assert mails == spread_mails(len(mails), days)


@pytest.mark.parametrize("stratum", ["policy", "shadow"])
def test_a_turn_in_shadow_was_a_turn(stratum: str) -> None:
    asked = book(20)
    asked.add("decisions", decision_id="S", decided_at=moment(AS_OF, -3, 7), customer_id="C005", arm="email_soft",
              propensities=json.dumps({"none": 0.5, "email_soft": 0.5}), stratum=stratum)  # fmt: skip
    view = asked.view()
    found = plan(view, prediction(view, {}), policy="learned", capacity=DEFAULT_CAPACITY, seed=1)
    assert "C005" not in set(found.decisions.get_column("customer_id"))
    left = found.not_worked.filter(pl.col("customer_id") == "C005")
    assert left.get_column("detail").to_list() == ["Decided 3 days ago; the next decision is on 2026-06-05."]
    assert found.decisions.height == 19


def test_nobody_changes_sides_of_the_holdout() -> None:
    first = book().view()
    held = held_out(first, 0.2)
    assert held_out(first, 0.0) == frozenset()
    kept, others = sorted(held)[0], sorted(set(strata(first, {})) - held)
    logged = book(90)
    for number, name in enumerate([kept, *others]):
        logged.add("decisions", decision_id=f"D{number}", decided_at=moment(AS_OF, -7, 0), customer_id=name, arm="none",
                   stratum="guardrail_holdout" if name == kept else "policy")  # fmt: skip
    later = held_out(logged.view(), 0.2)
    assert kept in later
    assert not later & set(others)
    assert later - held  # newcomers bring the share back


def test_branches_follow_the_paying_parent_and_strata_hold_size_and_segment() -> None:
    small = Book().customer("P").customer("A", parent_id="P").customer("B")
    small.invoice("A1", "A", days_late=5, minor=900_000).invoice("P1", "P", days_late=5, minor=1_000)
    small.history("A", [0] * 6).invoice("B1", "B", days_late=5, minor=1_000)
    view = small.view()
    found = strata(view, paying_parents(view.table("customers")))
    assert set(found) == {"P", "B"}
    assert found["P"].endswith("/prompt")  # its largest member decides
    assert found["B"].endswith("/new")
    assert int(found["P"].split("/")[0]) > int(found["B"].split("/")[0])


def test_what_was_in_shadow_teaches_nothing_and_did_not_happen() -> None:
    def learnt(stratum: str) -> tuple[int, int | None]:
        one = book(10)
        one.add("decisions", decision_id="S", decided_at=moment(AS_OF, -14, 7), customer_id="C001", arm="route_dispute",
                propensities=json.dumps({"none": 0.5, "route_dispute": 0.5}), stratum=stratum)  # fmt: skip
        one.add("disputes", dispute_id="D", invoice_id="C001-0", opened_on=AS_OF - timedelta(20))
        view = one.view()
        points = gather(view, prediction(view, {}), cost_of_capital=0.1)
        source = book_from_view(view, points, [{} for _ in points])
        routed = next(point for point in points if point.customer_id == "C001").history.days_since_routed
        return source.book.decision_day.size, routed

    assert learnt("policy") == (1, 14)
    assert learnt("shadow") == (0, None)
