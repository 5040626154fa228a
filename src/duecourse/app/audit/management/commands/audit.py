"""``duecourse manage audit verify|head``: checks the chains, or prints where they end, to be kept elsewhere."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from duecourse.app.audit.chain import Head
from duecourse.app.audit.queries import chain_breaks, chain_heads, count_events


class Command(BaseCommand):
    """Two uses: verify (exit code 1 when a chain is broken) and head (one JSON line per chain)."""

    help = "Verify the audit chains, or print where they end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do, and the anchors to hold the chains against."""
        parser.add_argument("what", choices=["verify", "head"])
        parser.add_argument("--anchors", type=Path, help="file with the lines that `audit head` printed earlier")

    def handle(self, *_: Any, what: str, anchors: Path | None, **__: Any) -> None:  # noqa: ANN401 - Django's signature
        """Do it. Raises CommandError when a chain is broken or the anchors cannot be read."""
        if what == "head":
            for head in chain_heads():
                self.stdout.write(json.dumps(asdict(head), sort_keys=True))
            return
        broken = list(chain_breaks(_read(anchors) if anchors else []))
        for line in broken:
            self.stdout.write(line)
        if broken:
            raise CommandError(f"the audit does not hold: {len(broken):,} breaks")
        self.stdout.write(f"the audit holds: {count_events():,} events")


def _read(file: Path) -> list[Head]:
    try:
        return [Head(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError, TypeError) as error:
        raise CommandError(f"{file} cannot be read: expected lines as `audit head` prints them ({error})") from None
