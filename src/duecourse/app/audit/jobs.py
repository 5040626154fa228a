"""The daily job of the audit: the ends of the chains are written to a file that can be kept elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from django.conf import settings

from duecourse.app.audit.queries import chain_heads
from duecourse.app.jobs.kinds import Kind, Result, Work


def export_heads(work: Work) -> Result:
    """Write where each chain ends into ``data/anchors/DAY.jsonl``, in the form that ``audit verify`` takes."""
    folder = Path(settings.DATA_DIR) / "anchors"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{work.arguments['day']}.jsonl"
    heads = chain_heads()
    written = file.with_suffix(".part")
    written.write_text("".join(json.dumps(asdict(head), sort_keys=True) + "\n" for head in heads), encoding="utf-8")
    written.replace(file)
    return {"chains": len(heads), "file": file.name}


JOBS: Mapping[str, Kind] = {"audit.export_heads": Kind("export the ends of the audit chains", export_heads, daily_at=1)}
