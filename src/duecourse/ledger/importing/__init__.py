"""The lenient reader: any export (CSV, XLSX, Parquet) becomes a ledger, with every guess listed and none hidden.

``import_files`` reads one or more files that belong together, ``import_on_the_fly`` one file for a verb that was given
it in place of a ledger. How to use it: docs/how-to/import-your-export.md.
"""

from duecourse.ledger.importing.importer import import_files, import_on_the_fly
from duecourse.ledger.importing.maps import ColumnMap, TableMap, load_map, ready_maps
from duecourse.ledger.importing.outcome import FileCount, Guess, ImportOptions, ImportResult, NeedsAnswer

__all__ = [
    "ColumnMap",
    "FileCount",
    "Guess",
    "ImportOptions",
    "ImportResult",
    "NeedsAnswer",
    "TableMap",
    "import_files",
    "import_on_the_fly",
    "load_map",
    "ready_maps",
]
