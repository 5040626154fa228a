"""``duecourse manage COMMAND ...``: the commands that look after an installation (migrate, audit, invite ...)."""

from __future__ import annotations

import os

import click

from duecourse.cli.installation import prepare


@click.command(
    "manage",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(*, arguments: tuple[str, ...]) -> None:
    """Look after an installation: `manage invite EMAIL`, `manage audit verify`, `manage migrate`, `manage help`."""
    prepare(os.environ)
    from django.core.management import execute_from_command_line

    execute_from_command_line(["duecourse manage", *(arguments or ("help",))])
