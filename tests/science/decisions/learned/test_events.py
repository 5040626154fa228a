"""Opt-outs and complaints learnt per tone and number of contacts: by hand, from a ledger, in the price of an act."""

from __future__ import annotations

import numpy as np
import pytest

from duecourse.science.decisions import DEFAULT_CAPACITY, plan
from duecourse.science.decisions.contact_points import gather
from duecourse.science.decisions.learned.book import ARM
from duecourse.science.decisions.learned.events import PRICE_MAJOR, TYPICAL, PastContacts, chances, past_contacts
from duecourse.science.decisions.learned.from_view import Source, book_from_view
from duecourse.science.decisions.mask import mask
from support.small_books import AS_OF, Book, moment, prediction


def past(tone: list[int], before: list[int], opt_out: list[bool]) -> PastContacts:
    followed = np.array([opt_out, [False] * len(opt_out)])
    return PastContacts(np.array(tone, dtype=np.int64), np.array(before, dtype=np.int64), followed)


def test_without_contacts_the_assumed_chances_stand() -> None:
    table = chances(past([], [], []))
    np.testing.assert_allclose(table[0], TYPICAL["opt_out"])
    np.testing.assert_allclose(table[1], TYPICAL["complaint"])


def test_cells_are_drawn_to_their_tone_and_tones_to_the_tenant() -> None:
    """Two firm contacts after three others, one followed by an opt-out, and two soft ones."""
    table = chances(past([2, 2, 0, 0], [3, 3, 0, 1], [True, False, False, False]))
    tenant = (1 + 1000 * 0.001) / (4 + 1000)
    firm, soft = (1 + 500 * tenant) / (2 + 500), (0 + 500 * tenant) / (2 + 500)
    assert table[0, 2, 3] == pytest.approx((1 + 200 * firm) / (2 + 200))
    assert table[0, 2, 0] == pytest.approx(firm)
    assert table[0, 0, 1] == pytest.approx((0 + 200 * soft) / (1 + 200))
    assert table[0, 1, 2] == pytest.approx(tenant)
    assert table[0, 2, 3] > table[0, 2, 0] > table[0, 1, 0] > table[0, 0, 0]
    assert (table[1] < TYPICAL["complaint"]).all()  # four contacts without a complaint


def test_what_the_books_do_not_keep_is_neither_seen_nor_ruled_out() -> None:
    many = past([0] * 5000, [0] * 5000, [False] * 5000)
    assert (chances(many)[1] < 0.5 * TYPICAL["complaint"]).all()
    unread = PastContacts(many.tone, many.before, many.followed, (True, False))
    np.testing.assert_allclose(chances(unread)[1], TYPICAL["complaint"])
    np.testing.assert_allclose(chances(unread)[0], chances(many)[0])
    activities = angry().view().table("activities").sort("occurred_at").to_dicts()
    assert past_contacts(angry().view(), {"C1": 0, "C2": 0}, activities).kept == (False, False)


def angry() -> Book:
    """Three firm mails to C1 and its branch within a month, and a soft one long before."""
    book = Book().customer("C1").customer("C2", parent_id="C1")
    for days, tone in ((200, "soft"), (70, "firm"), (60, "firm"), (52, "firm")):
        book.contacted("C1" if days != 60 else "C2", days_ago=days, tone=tone)
    return book.invoice("I1", "C1", days_late=40, minor=250_000)


def source_of(book: Book) -> Source:
    view = book.view()
    points = gather(view, prediction(view, {}), cost_of_capital=0.1)
    return book_from_view(view, points, [mask(point, DEFAULT_CAPACITY) for point in points])


def test_an_event_counts_to_the_last_contact_within_thirty_days_before_it() -> None:
    view = angry().view()
    activities = view.table("activities").sort("occurred_at").to_dicts()
    found = past_contacts(view, {"C1": 0, "C2": 0}, activities)
    assert found.tone.tolist() == [0, 2, 2, 2]
    assert found.before.tolist() == [0, 0, 1, 2]
    assert not found.followed.any()
    for days_ago, hit in ((50, [False, False, False, True]), (65, [False, True, False, False]), (10, [False] * 4)):
        book = angry()
        book.add("contacts", contact_id="N", customer_id="C2", email_consent="granted", recorded_at=moment(AS_OF, -300))
        book.add("contacts", contact_id="N", customer_id="C2", email_consent="withdrawn",
                 recorded_at=moment(AS_OF, -days_ago))  # fmt: skip
        seen = past_contacts(book.view(), {"C1": 0, "C2": 0}, activities)
        assert seen.followed[0].tolist() == hit
        assert not seen.followed[1].any()


def test_the_price_of_an_act_holds_the_chance_times_the_price_and_is_shown() -> None:
    found = source_of(angry()).events
    assert found.minor[0, ARM["none"]] == found.minor[0, ARM["route_dispute"]] == 0
    neutral = ARM["email_neutral"]
    assert found.chance[:, 0, neutral] == pytest.approx([0.001, 0.0015])
    # The only overdue invoice is 2,500.00, so prices count as listed; one customer is of middling value.
    expected = 100 * (PRICE_MAJOR["opt_out"] * 0.001 + PRICE_MAJOR["complaint"] * 0.0015)
    assert found.minor[0, neutral] == pytest.approx(expected)
    assert found.words(0, ARM["none"]) == ""
    assert found.words(0, ARM["call_service"]) == "0.10% opt out and 0.15% complain after such a contact"
    opted = angry()
    opted.add("contacts", contact_id="N", customer_id="C2", email_consent="granted", recorded_at=moment(AS_OF, -300))
    opted.add("contacts", contact_id="N", customer_id="C2", email_consent="withdrawn",
              recorded_at=moment(AS_OF, -50))  # fmt: skip
    worse = source_of(opted).events
    firm, mild = ARM["email_firm"], ARM["email_soft"]
    assert worse.chance[0, 0, firm] > worse.chance[0, 0, mild] > found.chance[0, 0, mild]  # one opt-out after firm
    assert worse.minor[0, firm] > found.minor[0, firm]


def test_the_worklist_shows_the_price_to_the_relationship_and_its_learnt_part() -> None:
    book = Book()
    for number in range(30):
        name = f"C{number:02}"
        book.customer(name).history(name, [number % 9, 20, number % 30] * 3, first_due=380)
        book.invoice(f"{name}-0", name, days_late=20 + number, minor=250_000)
    view = book.view()
    made = plan(view, prediction(view, {}), policy="learned", capacity=DEFAULT_CAPACITY, seed=1)
    rows = [row for row in made.worklist.iter_rows(named=True) if row["chosen_how"]]
    assert rows
    for row in rows:
        assert row["relationship_minor"] >= row["event_minor"] > 0
        assert row["events"].endswith("complain after such a contact")
