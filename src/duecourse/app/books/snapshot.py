"""The books of an entity as a ledger, and as a ledger directory under the hash of its content.

A snapshot is what every computation starts from: the same rows always give the same hash and the same files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from duecourse.app.books.bulk import PK, stored_rows
from duecourse.app.books.models import Entity
from duecourse.ledger.schema import TABLES

if TYPE_CHECKING:
    from duecourse.ledger.as_of import Ledger


def ledger_of(entity: Entity) -> Ledger:
    """Every row and version of the books, as the lower half takes it."""
    from duecourse.ledger.as_of import Ledger

    frames = {name: stored_rows(entity.pk, name).drop(PK) for name in TABLES}
    return Ledger.from_frames({name: frame for name, frame in frames.items() if frame.height or name == "invoices"})


def content_hash(ledger: Ledger) -> str:
    """SHA-256 over all rows and versions; equal books have equal hashes."""
    from duecourse.core.ids import sha256_hex
    from duecourse.ledger.fingerprint import column_bytes

    parts: list[bytes] = []
    for name in sorted(ledger.tables):
        frame = ledger.table(name)
        if frame.height:
            parts.append(name.encode())
            for column in sorted(frame.columns):
                parts += [column.encode(), *column_bytes(frame.get_column(column))]
    return sha256_hex(*parts)


def write_snapshot(ledger: Ledger, folder: Path) -> Path:
    """The ledger as Parquet files in ``folder``/hash; nothing is written again when they are there already."""
    from duecourse.ledger.write import write_ledger

    target = folder / content_hash(ledger)
    if not target.exists():
        write_ledger(ledger, target)
    return target
