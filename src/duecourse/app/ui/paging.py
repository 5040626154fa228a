"""How long tables are laid out: ordered by the column and cut to the page that the address names."""

from __future__ import annotations

from typing import Any

from django_tables2 import RequestConfig

from duecourse.app.http import Request

PER_PAGE = 50


def lay_out(request: Request, table: Any) -> None:  # noqa: ANN401 - django-tables2 ships no types
    """Order ``table`` and show one page of it; a page that there is not is the nearest one.

    The length of a page is ours: an address must not ask for a million rows at once.
    """
    RequestConfig(request, paginate=False).configure(table)
    table.paginate(per_page=PER_PAGE)
    table.page = table.paginator.get_page(request.GET.get(table.prefixed_page_field))
