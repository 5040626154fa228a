"""Hard limits never loosen, tones stay under their ceiling, and messages leave in the recipient's working hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.science.decisions.capacity import DEFAULT_CAPACITY, Arm
from duecourse.science.decisions.habit import Habit
from duecourse.science.decisions.ladder import wish
from duecourse.science.decisions.mask import EMAILS, REMINDERS, TONE_OF, TONES, mask, tone_ceiling
from duecourse.science.decisions.points import Contact, ContactHistory, ContactPoint, Disputes, OpenItem
from duecourse.science.decisions.schedule import send_at, zones
from duecourse.science.decisions.stake import Outlook
from support.small_books import AS_OF

ALL_ARMS = replace(DEFAULT_CAPACITY, arms={arm: Arm(0, 0) for arm in (*REMINDERS, "send_documents", "route_dispute")})


def item(days_late: int, *, collectible: int = 1000, segment: str = "occasional", soon: float = 0.3,
         **more: int) -> OpenItem:  # fmt: skip
    held = {"disputed_minor": 0, "promised_minor": 0, "planned_minor": 0, "netted_minor": 0, **more}
    return OpenItem("I", "C", "EUR", AS_OF - timedelta(days_late), days_late, 1000, collectible, segment=segment,
                    rung="book", outlook=Outlook(soon, 0.1, 2, 9, 60, 178), **held)  # fmt: skip


def point(days_late: int = 30, **more: object) -> ContactPoint:
    base = ContactPoint(
        customer_id="C", name="C", members=("C",), items=(item(days_late),),
        contact=Contact("K", "Kim", True, True, "unknown", "granted", "unknown", "", "DE"), contacts_on_file=True,
        habit=Habit(5, 9, 20, 0, True), history=ContactHistory(), disputes=Disputes(), currency="EUR",
        typical_minor={"EUR": 1000.0}, debtor_kind="company",
    )  # fmt: skip
    return replace(base, **more)


points = st.builds(
    lambda late, segment, strategic, out, calls, talked, waiting, unmatched: point(
        items=(item(late, segment=segment),), strategic=strategic, money_unmatched=unmatched,
        history=ContactHistory(outgoing_30_days=out, calls_7_days=calls, days_since_conversation=talked,
                               unanswered_days=waiting),
    ),
    st.integers(-20, 200), st.sampled_from(["new", "prompt", "occasional", "chronic"]), st.booleans(),
    st.integers(0, 6), st.integers(0, 9), st.none() | st.integers(0, 20), st.none() | st.integers(0, 30), st.booleans(),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    points, st.sampled_from(["unanswered", "withdrawn", "bounced", "calls", "contacts", "talked", "held", "unmatched"])
)
def test_a_further_stop_never_allows_more(before: ContactPoint, stop: str) -> None:
    assert before.contact is not None
    history, contact = before.history, before.contact
    after = {
        "unanswered": replace(before, history=replace(history, unanswered_days=1)),
        "withdrawn": replace(before, contact=replace(contact, email_consent="withdrawn", call_consent="withdrawn")),
        "bounced": replace(before, history=replace(history, bounced_days=1)),
        "calls": replace(before, history=replace(history, calls_7_days=history.calls_7_days + 1)),
        "contacts": replace(before, history=replace(history, outgoing_30_days=history.outgoing_30_days + 1)),
        "talked": replace(before, history=replace(history, days_since_conversation=0)),
        "held": replace(before, items=(item(before.items[0].days_late, collectible=0, promised_minor=1000),)),
        "unmatched": replace(before, money_unmatched=True),
    }[stop]
    assert set(mask(before, ALL_ARMS)) <= set(mask(after, ALL_ARMS))


@settings(max_examples=300, deadline=None)
@given(points)
def test_the_tone_never_passes_its_ceiling(one: ContactPoint) -> None:
    ceiling = TONES.index(tone_ceiling(one))
    allowed = set(ALL_ARMS.arms) - set(mask(one, ALL_ARMS))
    assert all(TONES.index(TONE_OF[arm]) <= ceiling for arm in allowed if arm in TONE_OF)
    chosen = wish(one, mask(one, ALL_ARMS), AS_OF, by_value=True)
    for arm in (chosen.resolve, chosen.call, chosen.mail):
        assert arm is None or arm in allowed
    assert (chosen.silence == "") == any((chosen.resolve, chosen.call, chosen.mail))


def test_every_reason_is_given_not_only_the_first() -> None:
    silent = point(contact=Contact("K", "Kim", False, False, "withdrawn", "unknown", "withdrawn", "", ""))
    masked = mask(silent, ALL_ARMS)
    assert masked["email_soft"] == "no e-mail address on file; e-mail consent withdrawn"
    assert masked["call_service"] == "no phone number on file; consent to calls withdrawn"
    assert masked["sms_soft"] == "consent to text messages is not on file; no phone number on file"
    assert masked["route_dispute"] == "no open dispute"
    eight = point(history=ContactHistory(calls_7_days=7, outgoing_30_days=7, days_since_conversation=7))
    assert mask(eight, ALL_ARMS)["call_service"] == (
        "7 contacts in the last 30 days (limit 4); 7 calls in the last 7 days (limit 7); "
        "spoke 7 days ago; no call for 7 days"
    )


def test_consumers_and_strategic_customers_are_handled_with_more_care() -> None:
    consumer = mask(point(debtor_kind="consumer"), ALL_ARMS)
    assert consumer["call_service"] == "a consumer's consent to calls is not on file"
    assert "tone ceiling is neutral" in mask(point(60, strategic=True), ALL_ARMS)["email_firm"]


def test_a_contact_of_the_legal_department_is_not_written_to() -> None:
    masked = mask(point(contact=None, contacts_on_file=True), ALL_ARMS)
    assert all(masked[arm] == "only a legal contact is on file" for arm in ("email_soft", "send_documents"))
    unknown = mask(point(contact=None, contacts_on_file=False), ALL_ARMS)
    assert not set(EMAILS[:2]) & set(unknown)  # an export without contacts still gets its plan


@settings(max_examples=200, deadline=None)
@given(
    st.dates(date(2024, 1, 1), date(2028, 12, 31)), st.floats(0, 0.999999),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns",
                     "Pacific/Kiritimati", "Pacific/Pago_Pago"]),
)  # fmt: skip
def test_messages_leave_between_9_and_17_on_a_local_business_day(day: date, draw: float, zone: str) -> None:
    moment = send_at(day, zone, "", draw)
    local = moment.astimezone(ZoneInfo(zone))
    assert moment.utcoffset() == timedelta(0)
    assert 9 <= local.hour < 17
    assert local.weekday() < 5
    assert timedelta(0) <= local.date() - day <= timedelta(2)


def test_the_zone_is_on_file_or_of_the_country_or_utc_and_says_so() -> None:
    assert zones("Europe/Paris", "US") == (("Europe/Paris",), "Europe/Paris")
    assert zones("Mars/Base", "NL") == (("Europe/Amsterdam",), "Europe/Amsterdam, from the country")
    many, said = zones("", "US")
    assert len(many) > 20
    assert said == "all zones of US"
    assert zones("", "")[1] == "UTC: neither time zone nor country is known"
    moment = send_at(AS_OF, "", "US", 0.5)
    inside = [9 <= moment.astimezone(ZoneInfo(name)).hour < 17 for name in many]
    assert sum(inside) >= len(many) - 2  # all but the islands far out


def test_a_public_holiday_there_is_no_day_to_write() -> None:
    assert send_at(date(2026, 7, 3), "America/New_York", "US", 0.0).date() == date(2026, 7, 6)


@pytest.mark.parametrize(
    ("days_late", "sent", "step"),
    [(1, None, "email_soft"), (6, 5, None), (14, None, "email_soft"), (14, 8, "email_soft"), (20, 6, None),
     (28, 14, "email_firm"), (41, 13, None), (42, 14, "letter_formal"), (63, 21, "email_firm"), (90, 27, None),
     (91, 28, "email_firm")],
)  # fmt: skip
def test_the_ladder_by_age(days_late: int, sent: int | None, step: str | None) -> None:
    one = point(days_late, history=ContactHistory(days_since_out=sent, days_since_call=1))
    chosen = wish(one, mask(one, ALL_ARMS), AS_OF, by_value=False)
    assert chosen.mail == step
    if step is None:
        assert chosen.silence == "deferred"


def test_calls_come_from_week_three_and_four_weeks_apart() -> None:
    def call(days_late: int, since: int | None, *, by_value: bool = False) -> str | None:
        one = point(days_late, history=ContactHistory(days_since_call=since))
        return wish(one, {}, AS_OF, by_value=by_value).call

    assert [call(20, None), call(21, None), call(21, 27), call(60, 28)] == [
        None, "call_service", None, "call_service",
    ]  # fmt: skip
    # By value a customer is called earlier when it is 14 days beyond its own habit (P80 = 9 here).
    assert [call(22, 27, by_value=True), call(20, None, by_value=True)] == [None, None]
    early = point(16, habit=Habit(0, 1, 20, 0, True))
    assert wish(early, {}, AS_OF, by_value=True).call == "call_service"
    assert wish(early, {}, AS_OF, by_value=False).call is None
