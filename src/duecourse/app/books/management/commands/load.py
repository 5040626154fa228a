"""``duecourse manage load ENTITY LEDGER``: adds a ledger directory, or one export, to the books of an entity."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from duecourse.app.access import SYSTEM
from duecourse.app.books.actions import load_ledger
from duecourse.app.books.models import Entity
from duecourse.core.errors import DuecourseError

if TYPE_CHECKING:
    from duecourse.ledger.as_of import Ledger


class Command(BaseCommand):
    """Loads all of it or nothing; says how many rows of which table came in."""

    help = "Add a ledger directory or an export to the books of an entity."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which books, and from where."""
        parser.add_argument("entity", help="code of the legal entity")
        parser.add_argument("ledger", type=Path, help="ledger directory, or an export that needs no answer")

    def handle(self, *_: Any, entity: str, ledger: Path, **__: Any) -> None:  # noqa: ANN401 - Django's signature
        """Load. Raises CommandError with every problem."""
        books = Entity.objects.filter(code=entity).first()
        if books is None:
            codes = ", ".join(Entity.objects.order_by("code").values_list("code", flat=True)) or "none yet"
            raise CommandError(f"there is no entity {entity}; expected one of: {codes}")
        try:
            load = load_ledger(
                actor=SYSTEM, now=datetime.now(UTC), entity=books, ledger=_read(ledger), source=ledger.name
            )  # fmt: skip
        except DuecourseError as error:
            raise CommandError(str(error)) from None
        counts = ", ".join(f"{count:,} {name}" for name, count in load.row_counts.items())
        self.stdout.write(f"loaded into {books.name}: {counts}")


def _read(path: Path) -> Ledger:
    if path.is_dir():
        from duecourse.ledger.load import load_ledger as read_directory

        return read_directory(path).ledger
    from duecourse.ledger.importing import import_on_the_fly

    return import_on_the_fly(path).ledger
