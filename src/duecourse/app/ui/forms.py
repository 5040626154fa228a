"""How forms look, and how the refusal of an action reaches the person: at the field to mend, or above the page."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.forms import Form
from django.forms.renderers import TemplatesSetting
from django.http import HttpResponse
from django.shortcuts import redirect

from duecourse.app.access import Refused
from duecourse.app.http import Request


class Renderer(TemplatesSetting):
    """Renders every form and field by our templates."""

    form_template_name = "ui/form.html"
    field_template_name = "ui/field.html"


def refuse(form: Form, error: Refused) -> None:
    """Show why an action refused, at its field where the form has it."""
    form.add_error(error.field if error.field in form.fields else None, str(error))


def act(request: Request, action: Callable[[], object], said: str, back: str) -> HttpResponse:
    """Do ``action`` for a button without a form, say ``said`` or why not, and go ``back``."""
    try:
        action()
    except Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return redirect(back)
