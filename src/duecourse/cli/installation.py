"""What ``serve`` and ``manage`` share: finding the web application and the place where it keeps its data."""

from __future__ import annotations

from collections.abc import MutableMapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from duecourse.core.errors import MissingLibrary

SETTINGS = "duecourse.app.settings"


def prepare(environ: MutableMapping[str, str]) -> None:
    """Make the data directory with its secret key, and tell Django where its settings are.

    Raises MissingLibrary when the web application is not installed, and UsageError for a wrong setting.
    """
    if find_spec("django") is None or find_spec("granian") is None:
        raise MissingLibrary("the web application is not installed: run pip install 'duecourse[app]', or make setup")
    environment = import_module("duecourse.app.environment")
    read = environment.read_environment(environ, here=Path.cwd())
    environment.make_data_dir(read.data_dir)
    if not read.secret_key:
        environment.make_secret(read.data_dir)
    environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
