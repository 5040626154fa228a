"""The forms about people."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import AddEmailForm, LoginForm
from django import forms

from duecourse.app.access import Actor, Permission, Role
from duecourse.app.accounts.models import ROLES
from duecourse.app.books.queries import visible_entities

ALL = "all"


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth ships no types
    """Signing in; labels instead of placeholders, which vanish while one types."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - allauth's signature
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
        self.fields["login"].label = "E-mail"
        self.fields["password"].help_text = None


class AddressForm(AddEmailForm):  # type: ignore[misc]  # allauth ships no types
    """Addresses come from invitations: one that a person adds would be in no audit and could be another's."""

    def clean_email(self) -> str:
        """Refuses every address."""
        raise forms.ValidationError(
            "Your address is the one that you were invited by. Ask an administrator to invite another."
        )


class RoleForm(forms.Form):
    """A role, and the entity for which it is meant: those that the person may manage, or all of them."""

    role = forms.ChoiceField(choices=ROLES)
    entity = forms.ChoiceField(label="For")

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's signature
        super().__init__(*args, **kwargs)
        entities = visible_entities(actor, Permission.MANAGE_MEMBERS)
        choices = [(str(one.pk), one.name) for one in entities]
        if actor.may(Permission.MANAGE_MEMBERS):
            choices.insert(0, (ALL, "all entities"))
        field = self.fields["entity"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = choices

    @property
    def chosen_role(self) -> Role:
        """The role that was chosen."""
        return Role(self.cleaned_data["role"])

    @property
    def chosen_entity_id(self) -> int | None:
        """The entity that was chosen; None for all."""
        chosen = self.cleaned_data["entity"]
        return None if chosen == ALL else int(chosen)


class InvitationForm(RoleForm):
    """Whom to invite, as what."""

    email = forms.EmailField(label="E-mail", max_length=254)
    field_order = ("email", "role", "entity")


class JoiningForm(forms.Form):
    """Name and password of somebody who accepts an invitation."""

    name = forms.CharField(
        label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )  # fmt: skip
    password = forms.CharField(
        label="Password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters. A sentence is easier to remember than a riddle.",
    )
