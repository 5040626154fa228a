"""The two jobs of an import: reading the files, and putting what was read into the books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from duecourse.app.access import Refused
from duecourse.app.accounts.queries import actor_by_id
from duecourse.app.imports import actions
from duecourse.app.imports.models import Import, Stage
from duecourse.app.imports.reading import SHOWN_PROBLEMS, read, storable
from duecourse.app.imports.storage import LEDGER, paths, root_of
from duecourse.app.jobs.kinds import Kind, Result, Work
from duecourse.core.errors import BadInput


def read_files(work: Work) -> Result:
    """Read the files of an import. A second run finds it read already and does nothing."""
    one = Import.objects.get(pk=work.arguments["import"])
    if one.stage != Stage.READING:
        return {}
    work.report("reading the files", 0, len(one.files))
    stage, found = read(paths(one.folder, one.files), one.answers, root_of(one.folder) / LEDGER)
    actions.note_reading(actor=actor_by_id(work.asked_by_id), now=work.now, one=one, stage=stage, found=storable(found))
    return {"found": str(stage), **found.get("counts", {})}


def load_books(work: Work) -> Result:
    """Put what was read into the books. A second run finds it loaded already and does nothing."""
    one = Import.objects.select_related("entity").get(pk=work.arguments["import"])
    if one.stage != Stage.LOADING:
        return {}
    actor = actor_by_id(work.asked_by_id)
    work.report("comparing with the books and adding what is new")
    try:
        return {"rows": actions.finish(actor=actor, now=work.now, one=one)}
    except BadInput as error:
        problems = [asdict(problem) for problem in error.problems[:SHOWN_PROBLEMS]]
        actions.note_refusal(actor=actor, now=work.now, one=one, says=error.what, problems=storable(problems))
        # The rows stand on the page of the import: administrators see jobs, but no money.
        raise Refused(error.what) from None
    except Refused as error:
        actions.note_refusal(actor=actor, now=work.now, one=one, says=str(error), problems=[])
        raise


JOBS: Mapping[str, Kind] = {
    actions.READ: Kind("read an export", read_files),
    actions.LOAD: Kind("load an export into the books", load_books),
}
