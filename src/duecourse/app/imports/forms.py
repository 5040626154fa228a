"""The forms of an import: the files, and the answers to what files leave open."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from duecourse.app.access import Actor, Permission
from duecourse.app.books.models import Entity
from duecourse.app.books.queries import visible_entities
from duecourse.core.money import CURRENCIES

MOST_FILES = 5
MEGABYTE = 1_000_000
# The limit of ledger.importing, which a test compares: importing it would load the whole importer into the web process.
MAX_FILE_BYTES = 200 * MEGABYTE


class ManyFiles(forms.ClearableFileInput):
    """A file input that takes several."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files, each within the limits of the importer."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:  # noqa: ANN401 - Django's signature
        """The files. Raises ValidationError with the file that is wrong, what was expected and the cure."""
        given = data if isinstance(data, list | tuple) else [data] if data else []
        if len(given) > MOST_FILES:
            raise forms.ValidationError(
                f"{len(given)} files: expected at most {MOST_FILES}; join them, or load in turns."
            )
        files = [super(FilesField, self).clean(one, initial) for one in given or [None]]
        for file in files:
            if file.size > MAX_FILE_BYTES:
                most = MAX_FILE_BYTES // MEGABYTE
                raise forms.ValidationError(
                    f"{file.name} has {file.size // MEGABYTE:,} MB: expected at most {most}; export a shorter period."
                )
        return files


class AnswersForm(forms.Form):
    """What files leave open. Empty means: find it in the file, or ask."""

    currency = forms.CharField(required=False, max_length=3, help_text="Where the file names none, such as EUR.")
    date_order = forms.ChoiceField(
        required=False, label="How 3/4/2026 reads",
        choices=[("", "find it in the file"), ("dmy", "3 April"), ("mdy", "4 March"), ("ymd", "year first")],
    )  # fmt: skip
    decimal = forms.ChoiceField(
        required=False,
        label="Decimal mark",
        choices=[("", "find it in the file"), ("point", "1.50"), ("comma", "1,50")],
    )
    default_terms = forms.IntegerField(
        required=False, min_value=0, max_value=999, label="Days of credit", help_text="Where a row has no due date."
    )
    exported_on = forms.DateField(
        required=False, label="Day of the export", widget=forms.DateInput(attrs={"type": "date"})
    )  # fmt: skip
    skip_bad_rows = forms.BooleanField(required=False, label="Go on without rows that cannot be used; they are listed")

    def clean_currency(self) -> str:
        """The currency, if there is one of that code."""
        currency = str(self.cleaned_data["currency"]).upper()
        if currency and currency not in CURRENCIES:
            raise forms.ValidationError("There is no such currency: write its three letters, such as EUR.")
        return currency

    @property
    def answers(self) -> dict[str, Any]:
        """The answers as they are stored."""
        given = dict(self.cleaned_data)
        day = given["exported_on"]
        return {**given, "exported_on": day.isoformat() if day else None}


class UploadForm(forms.Form):
    """Into whose books, and which files."""

    entity: forms.ModelChoiceField[Entity] = forms.ModelChoiceField(None, empty_label=None, label="Into the books of")
    exports = FilesField(
        label="Files",
        help_text="The invoice list of your system, and its payment list if that is another: CSV, XLSX or Parquet.",
    )

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's signature
        super().__init__(*args, **kwargs)
        field = self.fields["entity"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
        field.queryset = visible_entities(actor, Permission.IMPORT_BOOKS)


class ColumnsForm(forms.Form):
    """Which column of each file holds which field."""

    def __init__(self, tables: list[dict[str, Any]], data: Any = None) -> None:  # noqa: ANN401 - a request's data
        super().__init__(data)
        self.tables = tables
        self.parts = []
        for place, table in enumerate(tables):
            names = []
            for field in table["fields"]:
                name = f"column-{place}-{field}"
                self.fields[name] = forms.ChoiceField(
                    required=False, label=field.replace("_", " "), initial=table["columns"].get(field, ""),
                    choices=[("", "-"), *((header, header) for header in table["headers"])],
                )  # fmt: skip
                names.append(name)
            self.parts.append((table, [self[name] for name in names]))

    @property
    def changed_columns(self) -> dict[str, dict[str, str]]:
        """File -> field -> header, for the files where a person chose other columns than were found."""
        changed = {}
        for place, table in enumerate(self.tables):
            chosen = {field: self.cleaned_data.get(f"column-{place}-{field}", "") for field in table["fields"]}
            chosen = {field: header for field, header in chosen.items() if header}
            if chosen != table["columns"]:
                changed[table["file"]] = chosen
        return changed
