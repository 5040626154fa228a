"""The arithmetic of the chain: how an event is hashed, and what breaks when one is changed, cut out or swapped.

Hash of an event = SHA-256 over its canonical JSON (sorted keys, no blanks, UTF-8, no floats) with the hash before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

START = "0" * 64
Fact = str | int | bool | None | list[str] | list[int]


@dataclass(frozen=True, slots=True)
class Link:
    """One event as the chain sees it."""

    chain: str
    seq: int
    at: datetime
    code: str
    actor_id: int | None
    entity_id: int | None
    subject_kind: str
    subject_id: str
    facts: Mapping[str, Fact]
    previous_hash: str

    def hash(self) -> str:
        """The hash that the next event carries as its ``previous_hash``."""
        content = {
            "chain": self.chain, "seq": self.seq, "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "code": self.code, "actor": self.actor_id, "entity": self.entity_id,
            "subject": [self.subject_kind, self.subject_id], "facts": dict(self.facts), "previous": self.previous_hash,
        }  # fmt: skip
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """The last place of a chain and its hash: as the database says, or as it was written down elsewhere (an anchor)."""

    chain: str
    seq: int
    hash: str


def breaks(stored: Iterable[tuple[Link, str]], heads: Iterable[Head], anchors: Iterable[Head] = ()) -> Iterator[str]:
    """Every place where the chains do not hold, in words; nothing when they do.

    ``stored``: events with the hash they were stored with, ordered by chain and seq. A cut tail shows against ``heads``
    and, if those were changed too, against ``anchors`` that were kept outside the database.
    """
    ends: dict[str, tuple[int, str]] = {}
    wanted: dict[tuple[str, int], str] = {(one.chain, one.seq): one.hash for one in anchors}
    for link, stored_hash in stored:
        seq, before = ends.get(link.chain, (0, START))
        if link.seq != seq + 1:
            yield f"{link.chain}: event {seq + 1} is missing, event {link.seq} follows event {seq}"
        elif link.previous_hash != before:
            yield f"{link.chain}: event {link.seq} does not continue event {seq}"
        if link.hash() != stored_hash:
            yield f"{link.chain}: event {link.seq} was changed after it was written"
        if wanted.pop((link.chain, link.seq), stored_hash) != stored_hash:
            yield f"{link.chain}: event {link.seq} is not the one that was exported"
        ends[link.chain] = (link.seq, stored_hash)
    for head in heads:
        if ends.pop(head.chain, (0, START)) != (head.seq, head.hash):
            yield f"{head.chain}: the chain does not end with event {head.seq}, which was its last"
    for chain in sorted(ends):
        yield f"{chain}: the record of where the chain ends is missing"
    for chain, seq in sorted(wanted):
        yield f"{chain}: event {seq} was exported and is gone"
