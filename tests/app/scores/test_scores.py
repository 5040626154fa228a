"""Predictions come from a snapshot by a job, stand beside their age, rung and gate, and are asked for each night."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from app.conftest import NOW, Organisation, exactly_one_event, nothing_changes
from duecourse.app.access import SYSTEM, NotAllowed, Role
from duecourse.app.accounts.models import User
from duecourse.app.books.actions import load_ledger, undo_load
from duecourse.app.books.models import BookLoad
from duecourse.app.books.snapshot import content_hash, ledger_of
from duecourse.app.jobs.actions import ask_for_job
from duecourse.app.jobs.models import Job, State
from duecourse.app.jobs.runner import run
from duecourse.app.scores import learning
from duecourse.app.scores.actions import ask_to_predict
from duecourse.app.scores.models import Run, Score
from duecourse.core.errors import NotEnoughData
from duecourse.ledger.as_of import Ledger
from duecourse.science.simulate import load_world, simulate
from duecourse.science.timing.predict import predict

Browser = Callable[[User], Client]


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def ledger(organisation: Organisation) -> Ledger:
    """Books too young for a model."""
    found = simulate(load_world("base"), customers=40, months=10, seed=5).ledger
    load_ledger(actor=SYSTEM, now=NOW, entity=organisation.north, ledger=found, source="x")
    return found


def work() -> None:
    for job_id in Job.objects.filter(state=State.WAITING).values_list("pk", flat=True):
        run(job_id, clock=lambda: datetime.now(UTC))


def test_what_a_job_keeps_is_what_the_lower_half_predicts(
    organisation: Organisation, ledger: Ledger, data_dir: Path
) -> None:
    with exactly_one_event("scores.asked"):
        job = ask_to_predict(actor=SYSTEM, now=NOW, entity=organisation.north)
    with exactly_one_event("scores.predicted") as events:
        work()
    kept = Run.objects.get()
    last = ledger.last_known()
    assert last is not None
    assert (kept.entity, kept.as_of) == (organisation.north, last + timedelta(days=1))
    assert kept.snapshot_hash == content_hash(ledger_of(organisation.north))
    assert (data_dir / "snapshots" / str(organisation.north.pk) / kept.snapshot_hash / "invoices.parquet").is_file()
    expected = predict(None, ledger.as_of(kept.as_of), seed=0).scores
    assert (kept.model_id, kept.rungs) == ("", {"customer_history": expected.height})
    assert "at least 500 are needed" in kept.gate_says
    columns = ("invoice_id", "open_minor", "days_late", "p_late", "paid_on_p50", "rung")
    assert list(Score.objects.order_by("invoice_id").values_list(*columns)) == expected.select(columns).rows()
    assert events[0].facts == {"invoices": expected.height, "as_of": kept.as_of.isoformat()}
    job.refresh_from_db()
    assert (job.state, job.result["invoices"]) == (State.DONE, expected.height)


def test_only_the_scores_of_the_newest_run_are_kept(organisation: Organisation, ledger: Ledger) -> None:
    for _ in range(2):
        ask_to_predict(actor=SYSTEM, now=NOW, entity=organisation.north)
        work()
    first, second = Run.objects.order_by("pk")
    assert not first.scores.exists()
    assert second.scores.exists()


def test_empty_books_fail_with_words(organisation: Organisation) -> None:
    job = ask_to_predict(actor=SYSTEM, now=NOW, entity=organisation.north)
    work()
    job.refresh_from_db()
    assert (job.state, job.error) == (State.FAILED, "the books hold no invoices yet; import an export first")
    assert not Run.objects.exists()


def test_every_night_asks_for_entities_with_books_only(organisation: Organisation, ledger: Ledger) -> None:
    ask_for_job(actor=SYSTEM, now=NOW, kind="scores.nightly", key="tonight", arguments={})
    work()
    [asked] = Job.objects.filter(kind="scores.predict")
    assert asked.entity == organisation.north


def test_who_may_not_asks_for_nothing(organisation: Organisation) -> None:
    actors = [organisation.actor(role, organisation.north) for role in Role if role != Role.CREDIT_MANAGER]
    actors.append(organisation.actor(Role.CREDIT_MANAGER, organisation.south))
    for actor in actors:
        with nothing_changes(Job), pytest.raises(NotAllowed):
            ask_to_predict(actor=actor, now=NOW, entity=organisation.north)


def test_a_fresh_model_serves_and_an_old_one_is_fitted_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    day = date(2026, 3, 17)
    model = SimpleNamespace(gate={"says": "the model serves"})
    called: list[str] = []

    def note(name: str, result: object) -> Callable[..., object]:
        return lambda *_, **__: called.append(name) or result

    monkeypatch.setattr("duecourse.science.timing.store.load_model", note("load", model))
    monkeypatch.setattr("duecourse.science.timing.model.fit", note("fit", model))
    monkeypatch.setattr("duecourse.science.timing.judged.judge", note("judge", SimpleNamespace(model=model)))
    books = SimpleNamespace(as_of=str)
    for age, directory, expected in [
        (0, tmp_path, ["load"]), (6, tmp_path, ["load"]), (7, tmp_path, ["fit", "judge"]),
        (-1, tmp_path, ["fit", "judge"]), (0, tmp_path / "gone", ["fit", "judge"]),
    ]:  # fmt: skip
        called.clear()
        kept = (directory, day - timedelta(days=age))
        learnt = learning.learn(books, day, kept, threads=1, progress=called.copy().append)  # type: ignore[arg-type]
        assert called == expected
        assert learnt.fitted_on == (kept[1] if expected == ["load"] else day)
        assert learnt.says == "the model serves"


def test_a_model_is_kept_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    model: Any = SimpleNamespace(model_id="abc")

    def save(text: str) -> Callable[[object, Path], None]:
        def write(_: object, directory: Path) -> None:
            (directory / "trees_0.txt").write_text("half")
            if not text:
                raise OSError("no space left on device")
            (directory / "model.json").write_text(text)

        return write

    folder = tmp_path / "models"
    monkeypatch.setattr("duecourse.science.timing.store.save_model", save(""))
    with pytest.raises(OSError, match="no space left"):
        learning.keep_model(model, folder)
    assert list(folder.iterdir()) == []
    for text in ("whole", "again"):
        monkeypatch.setattr("duecourse.science.timing.store.save_model", save(text))
        learning.keep_model(model, folder)
    assert [directory.name for directory in folder.iterdir()] == ["abc"]
    assert (folder / "abc" / "model.json").read_text() == "whole"


def test_empty_books_have_no_morning() -> None:
    with pytest.raises(NotEnoughData, match="import an export first"):
        learning.morning_of(Ledger.from_frames({}))


def test_the_page_says_what_how_old_and_by_whom(organisation: Organisation, ledger: Ledger, signed_in: Browser) -> None:
    manager = signed_in(organisation.member(Role.CREDIT_MANAGER, organisation.north))
    viewer = signed_in(organisation.member(Role.FINANCE_VIEWER, organisation.north))
    address = reverse("scores:predictions", args=["north"])
    assert "Nothing is predicted yet" in viewer.get(address).content.decode()
    assert "Predict anew" not in viewer.get(address).content.decode()
    answer = manager.post(reverse("scores:again", args=["north"]))
    assert answer.headers["Location"] == reverse("jobs:job", args=[Job.objects.get(kind="scores.predict").pk])
    work()
    shown = viewer.get(address).content.decode()
    assert "each customer's own past" in shown
    assert "at least 500 are needed" in shown
    assert "the books know nothing newer" in shown
    assert "usually pays" in shown
    one = Score.objects.order_by("-open_minor").first()
    assert one is not None
    assert f'<td class="nowrap">{one.invoice_id}</td>' in shown
    narrowed = viewer.get(address, {"q": one.invoice_id}).content.decode()
    assert narrowed.count('<td class="nowrap">INV-') == 1
    assert "No open invoice fits" in viewer.get(address, {"q": "nobody"}).content.decode()
    assert "No open invoice fits" in viewer.get(address, {"q": "no\0body"}).content.decode()


def test_predictions_of_other_books_than_today_say_so(
    organisation: Organisation, ledger: Ledger, signed_in: Browser
) -> None:
    ask_to_predict(actor=SYSTEM, now=NOW, entity=organisation.north)
    work()
    viewer = signed_in(organisation.member(Role.FINANCE_VIEWER, organisation.north))
    address = reverse("scores:predictions", args=["north"])
    assert "The books have changed since" not in viewer.get(address).content.decode()
    undo_load(actor=SYSTEM, now=datetime.now(UTC), load=BookLoad.objects.get())
    assert "The books have changed since" in viewer.get(address).content.decode()
