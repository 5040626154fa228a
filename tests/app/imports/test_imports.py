"""An export goes into the books only after a person saw what was understood; whatever fails leaves nothing behind."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, TestCase
from django.urls import reverse

from app.conftest import NOW, Organisation, exactly_one_event, nothing_changes
from duecourse.app.access import SYSTEM, NotAllowed, Refused, Role
from duecourse.app.accounts.models import User
from duecourse.app.accounts.queries import actor_of
from duecourse.app.books.actions import load_ledger, undo_load
from duecourse.app.books.models import ROWS, BookLoad
from duecourse.app.imports import actions, forms, storage
from duecourse.app.imports.models import Import, Stage
from duecourse.app.jobs.models import Job, State
from duecourse.app.jobs.runner import FAULT, run
from duecourse.core.errors import BadInput, Problem
from duecourse.ledger.importing import limits
from support.books import books, invoice

Browser = Callable[[User], Client]
GOOD = (
    "Invoice,Customer,Issue date,Due date,Amount,Currency,Paid on\n"
    "A-1,Acme,2026-01-13,2026-02-13,100.50,EUR,2026-02-20\n"
    "A-2,Bolt <b>,2026-02-14,2026-03-14,200.00,EUR,\n"
)
OPEN_QUESTION = GOOD.replace(",EUR", ",").replace("Currency", "Note")
BAD_ROW = GOOD + "A-3,Cord,2026-02-31,2026-03-14,1.00,EUR,\n"


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Path:
    """Uploads lie in a directory of the test."""
    settings.DATA_DIR = tmp_path
    return tmp_path / "imports"


@pytest.fixture
def manager(organisation: Organisation) -> User:
    return organisation.member(Role.CREDIT_MANAGER, organisation.north, "manager@example.com")


def upload(client: Client, organisation: Organisation, *texts: str, name: str = "list.csv") -> Any:
    files = [SimpleUploadedFile(name, text.encode()) for text in texts]
    return client.post(reverse("imports:new"), {"entity": organisation.north.pk, "exports": files})


def work() -> None:
    """The worker: every waiting job runs, and what waits for the commit happens."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        for job_id in Job.objects.filter(state=State.WAITING).values_list("pk", flat=True):
            run(job_id, clock=lambda: datetime.now(UTC))


def test_an_export_is_uploaded_read_seen_and_loaded(
    organisation: Organisation, signed_in: Browser, manager: User, data_dir: Path
) -> None:
    client = signed_in(manager)
    with exactly_one_event("imports.started"):
        answer = upload(client, organisation, GOOD)
    one = Import.objects.get()
    page = reverse("imports:show", args=[one.pk])
    assert answer.headers["Location"] == page
    assert "The files are being read." in client.get(page).content.decode()
    work()
    seen = client.get(page).content.decode()
    for text in ("A-1", "€100.50", "Bolt &lt;b&gt;", "Load into the books", "What was guessed", "2026-03-14"):
        assert text in seen
    assert not ROWS["invoices"].objects.exists()
    with exactly_one_event("imports.load_asked"):
        client.post(reverse("imports:load", args=[one.pk]))
    with exactly_one_event("books.ledger_loaded"):
        work()
    one.refresh_from_db()
    assert one.load is not None
    assert (one.stage, one.load.loaded_by, one.load.source) == (Stage.LOADED, manager, "list.csv")
    assert sorted(ROWS["invoices"].objects.values_list("invoice_id", "amount_minor")) == [
        ("A-1", 10050),
        ("A-2", 20000),
    ]
    assert "rows are in the books" in client.get(page).content.decode()
    assert list(data_dir.iterdir()) == []
    undo_load(actor=actor_of(manager), now=NOW, load=one.load)
    assert not any(model.objects.exists() for model in ROWS.values())
    assert "nothing of it is in the books" in client.get(page).content.decode()


def test_a_doubt_is_asked_and_the_answer_settles_it(
    organisation: Organisation, signed_in: Browser, manager: User
) -> None:
    client = signed_in(manager)
    upload(client, organisation, OPEN_QUESTION)
    work()
    one = Import.objects.get()
    page = reverse("imports:show", args=[one.pk])
    assert one.stage == Stage.ASKS
    asked = client.get(page).content.decode()
    assert "What must be said" in asked
    assert "settle it below: Currency" in asked
    assert "--currency" not in asked
    assert "Load into the books" not in asked
    with nothing_changes(Import):
        assert "no such currency" in client.post(page, {"currency": "EUU"}).content.decode()
    with exactly_one_event("imports.read_again"):
        client.post(page, {"currency": "usd", **columns_as_found(one)})
    work()
    one.refresh_from_db()
    assert (one.stage, one.answers["currency"]) == (Stage.READY, "USD")
    assert "columns" not in one.answers
    assert {row["currency"] for row in one.found["invoices"]} == {"USD"}


def columns_as_found(one: Import) -> dict[str, str]:
    """What the form of columns sends when nobody changes it."""
    return {
        f"column-{place}-{field}": table["columns"].get(field, "")
        for place, table in enumerate(one.found["tables"])
        for field in table["fields"]
    }


def test_a_person_chooses_other_columns(organisation: Organisation, signed_in: Browser, manager: User) -> None:
    client = signed_in(manager)
    two = (
        GOOD.replace("Amount,", "Amount,Net,").replace("100.50,", "100.50,90.00,").replace("200.00,", "200.00,180.00,")
    )
    upload(client, organisation, two)
    work()
    one = Import.objects.get()
    assert one.found["tables"][0]["columns"]["amount"] == "Amount"
    page = reverse("imports:show", args=[one.pk])
    client.post(page, {**columns_as_found(one), "column-0-amount": "Net"})
    work()
    one.refresh_from_db()
    assert one.stage == Stage.READY
    assert sorted(row["amount_minor"] for row in one.found["invoices"]) == [9000, 18000]
    assert one.found["tables"][0]["columns"]["amount"] == "Net"
    with nothing_changes(Import):
        assert b"not one of the available choices" in client.post(
            page, {**columns_as_found(one), "column-0-amount": "Nix"}
        ).content  # fmt: skip


def test_bad_rows_are_shown_and_may_be_left_out(organisation: Organisation, signed_in: Browser, manager: User) -> None:
    client = signed_in(manager)
    upload(client, organisation, BAD_ROW)
    work()
    one = Import.objects.get()
    page = reverse("imports:show", args=[one.pk])
    assert one.stage == Stage.REFUSED
    assert "row 4" in client.get(page).content.decode()
    client.post(page, {"skip_bad_rows": "on", **columns_as_found(one)})
    work()
    one.refresh_from_db()
    assert one.stage == Stage.READY
    [counts] = one.found["files"]
    assert (counts["rows"], counts["accepted"], counts["refused"]) == (3, 2, 1)


@pytest.mark.parametrize("content", ["", "\0\0\0", "%PDF-1.7", "just words", "a,b\n1,2\n"])
def test_a_file_that_is_no_export_is_refused_with_the_cure(
    organisation: Organisation, signed_in: Browser, manager: User, content: str
) -> None:
    client = signed_in(manager)
    answer = upload(client, organisation, content)
    if answer.status_code == 200:
        assert "The submitted file is empty." in answer.content.decode()
        assert not Import.objects.exists()
        return
    work()
    one = Import.objects.get()
    assert one.stage in (Stage.REFUSED, Stage.ASKS)
    assert one.found["problems"] != [] or one.found["says"]
    assert Job.objects.get().state == State.DONE
    with nothing_changes(Import), pytest.raises(Refused):
        actions.ask_to_load(actor=actor_of(manager), now=NOW, one=one)


def test_what_the_books_refuse_changes_nothing_and_is_said(
    organisation: Organisation, signed_in: Browser, manager: User
) -> None:
    client = signed_in(manager)
    load_ledger(actor=SYSTEM, now=NOW, entity=organisation.north, ledger=books(invoice("A-9")), source="x")
    for _ in range(2):
        upload(client, organisation, GOOD)
        work()
        one = Import.objects.first()
        assert one is not None
        client.post(reverse("imports:load", args=[one.pk]))
        work()
    one.refresh_from_db()
    assert one.stage == Stage.REFUSED
    assert "hold everything that list.csv says already" in client.get(
        reverse("imports:show", args=[one.pk])
    ).content.decode()  # fmt: skip
    assert BookLoad.objects.count() == 2


def test_discarding_deletes_the_files(
    organisation: Organisation, signed_in: Browser, manager: User, data_dir: Path
) -> None:
    client = signed_in(manager)
    upload(client, organisation, GOOD)
    one = Import.objects.get()
    with nothing_changes(Import), pytest.raises(Refused, match="is reading now"):
        actions.discard(actor=actor_of(manager), now=NOW, one=one)
    work()
    assert len(list(data_dir.iterdir())) == 1
    with exactly_one_event("imports.discarded"), TestCase.captureOnCommitCallbacks(execute=True):
        client.post(reverse("imports:discard", args=[one.pk]))
    assert list(data_dir.iterdir()) == []
    with nothing_changes(Import), pytest.raises(Refused, match="is discarded now"):
        actions.ask_to_load(actor=actor_of(manager), now=NOW, one=one)


def test_a_fault_while_reading_can_be_read_again_or_discarded(
    organisation: Organisation, signed_in: Browser, manager: User
) -> None:
    client = signed_in(manager)
    upload(client, organisation, GOOD)
    Job.objects.update(state=State.FAILED, error=FAULT)
    one = Import.objects.get()
    page = reverse("imports:show", args=[one.pk])
    assert (
        "This stopped, and nothing entered the books. A fault of the program, not of your data."
        in client.get(page).content.decode()
    )
    client.post(page, {})
    work()
    one.refresh_from_db()
    assert one.stage == Stage.READY


def test_a_job_that_has_noted_its_find_but_not_ended_is_not_taken_for_the_next(
    organisation: Organisation, signed_in: Browser, manager: User
) -> None:
    client = signed_in(manager)
    upload(client, organisation, GOOD)
    work()
    Job.objects.update(state=State.RUNNING)
    one = Import.objects.get()
    assert one.stage == Stage.READY
    page = reverse("imports:show", args=[one.pk])
    seen = client.get(page).content.decode()
    assert "The files are being read." in seen
    assert "Load into the books" not in seen
    for again in (reverse("imports:load", args=[one.pk]), page, reverse("imports:discard", args=[one.pk])):
        with nothing_changes(Import, Job):
            client.post(again, columns_as_found(one))
    Job.objects.update(state=State.DONE)
    client.post(reverse("imports:load", args=[one.pk]))
    work()
    assert "rows are in the books" in client.get(page).content.decode()


def test_why_an_import_stopped_is_what_its_job_says(
    organisation: Organisation, signed_in: Browser, manager: User
) -> None:
    client = signed_in(manager)
    upload(client, organisation, GOOD)
    page = reverse("imports:show", args=[Import.objects.get().pk])
    client.post(reverse("jobs:cancel", args=[Job.objects.get().pk]))
    cancelled = client.get(page).content.decode()
    assert "nothing entered the books. Somebody cancelled the job." in cancelled
    assert "fault of the program" not in cancelled


def test_the_rows_that_the_books_refuse_are_not_shown_to_who_sees_jobs_only(
    organisation: Organisation, signed_in: Browser, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(manager)
    upload(client, organisation, GOOD)
    work()
    one = Import.objects.get()
    client.post(reverse("imports:load", args=[one.pk]))
    problem = Problem("the books", None, None, "98765.43", "no more than is open")

    def refuse(**_: object) -> None:
        raise BadInput("The books would no longer hold; nothing was changed.", (problem,))

    monkeypatch.setattr(actions, "load_ledger", refuse)
    with nothing_changes(BookLoad, *ROWS.values()):
        work()
    assert "98765.43" in client.get(reverse("imports:show", args=[one.pk])).content.decode()
    administrator = signed_in(organisation.member(Role.ADMINISTRATOR, None))
    failed = Job.objects.get(kind="imports.load")
    seen = administrator.get(reverse("jobs:job", args=[failed.pk])).content.decode()
    assert "The books would no longer hold" in seen
    assert "98765.43" not in seen


@pytest.mark.parametrize("shut_out", [False, True])
def test_who_lost_the_right_meanwhile_loads_nothing(
    organisation: Organisation, signed_in: Browser, manager: User, shut_out: bool
) -> None:
    client = signed_in(manager)
    upload(client, organisation, GOOD)
    work()
    one = Import.objects.get()
    client.post(reverse("imports:load", args=[one.pk]))
    if shut_out:
        User.objects.filter(pk=manager.pk).update(is_active=False)
    else:
        manager.memberships.all().delete()
    with nothing_changes(BookLoad, *ROWS.values()):
        work()
    assert Job.objects.get(kind="imports.load").state == State.FAILED
    colleague = signed_in(organisation.member(Role.CREDIT_MANAGER, organisation.north))
    assert "This needs the role credit manager" in colleague.get(
        reverse("imports:show", args=[one.pk])
    ).content.decode()  # fmt: skip


def test_nobody_imports_into_foreign_books(organisation: Organisation, signed_in: Browser, manager: User) -> None:
    client = signed_in(manager)
    form = {"entity": organisation.south.pk, "exports": SimpleUploadedFile("a.csv", GOOD.encode())}
    with nothing_changes(Import):
        assert b"not one of the available choices" in client.post(reverse("imports:new"), form).content
        with pytest.raises(NotAllowed):
            actions.start_import(
                actor=actor_of(manager), now=NOW, entity=organisation.south, folder="x", files=["a"], answers={}
            )


def test_the_limit_of_an_upload_is_the_limit_of_the_importer() -> None:
    assert forms.MAX_FILE_BYTES == limits.MAX_FILE_BYTES


def test_uploads_have_limits(
    organisation: Organisation, signed_in: Browser, manager: User, monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    client = signed_in(manager)
    monkeypatch.setattr(forms, "MAX_FILE_BYTES", 10)
    with nothing_changes(Import):
        assert b"expected at most 0; export a shorter period" in upload(client, organisation, GOOD).content
        assert b"6 files: expected at most 5" in upload(client, organisation, *["x"] * 6).content
        assert b"This field is required" in client.post(
            reverse("imports:new"), {"entity": organisation.north.pk}
        ).content  # fmt: skip
    assert not data_dir.exists()


@pytest.mark.parametrize(
    ("name", "kept"),
    [("list.csv", "list.csv"), ("../../etc/passwd", "passwd"), ("..\\x\\y.csv", "y.csv"), ("...", "file"),
     ("a\nb<c>.csv", "a_b_c_.csv"), ("ü" * 200 + ".csv", "ü" * 48 + ".csv"),
     ("😀" * 90, "_" * 90), ("表" * 99 + ".csv", "表" * 32 + ".csv")],
)  # fmt: skip
def test_a_stored_name_is_harmless(name: str, kept: str, data_dir: Path) -> None:
    upload = SimpleUploadedFile("x", b"abc")
    upload._name = name
    folder, names = storage.store([upload])
    assert names == [kept]
    [file] = storage.paths(folder, names)
    assert file.read_bytes() == b"abc"
    assert file.parent.parent == data_dir / folder
    assert len(folder) == 32


def test_text_with_nul_is_refused_in_words_on_every_database(
    organisation: Organisation, signed_in: Browser, manager: User
) -> None:
    client, file = signed_in(manager), io.BytesIO()
    row = {
        "Invoice": "A-1",
        "Customer": "Ac\0me",
        "Issue date": "2026-01-13",
        "Due date": "2026-02-13",
        "Amount": "1.50",
    }
    pl.DataFrame([{**row, "Currency": "EUR"}]).write_parquet(file)
    form = {"entity": organisation.north.pk, "exports": [SimpleUploadedFile("a.parquet", file.getvalue())]}
    client.post(reverse("imports:new"), form)
    work()
    one = Import.objects.get()
    assert one.stage == Stage.READY
    client.post(reverse("imports:load", args=[one.pk]))
    with nothing_changes(BookLoad, *ROWS.values()):
        work()
    one.refresh_from_db()
    assert one.stage == Stage.REFUSED
    assert one.found["says"] == "a.parquet cannot be loaded; nothing was changed."
    assert "Ac\N{REPLACEMENT CHARACTER}me" in {problem["value"] for problem in one.found["problems"]}


def test_two_files_of_one_name_are_told_apart(data_dir: Path) -> None:
    folder, names = storage.store([SimpleUploadedFile("list.csv", text) for text in (b"a", b"b")])
    assert names == ["list.csv", "2 list.csv"]
    assert [file.read_bytes() for file in storage.paths(folder, names)] == [b"a", b"b"]


def test_an_upload_that_cannot_be_stored_leaves_nothing(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError("no space left on device")

    broken = SimpleUploadedFile("b.csv", b"b")
    monkeypatch.setattr(broken, "chunks", full)
    with pytest.raises(OSError, match="no space left"):
        storage.store([SimpleUploadedFile("a.csv", b"a"), broken])
    assert list(data_dir.iterdir()) == []
