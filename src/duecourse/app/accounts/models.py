"""People, what they are to which entity, and invitations."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from duecourse.app.access import Role

ROLES = [(role.value, role.label) for role in Role]


class UserManager(BaseUserManager["User"]):
    """Finds people by e-mail address. People are made by ``accounts.actions`` only."""


class User(AbstractBaseUser):
    """A person who signs in with an e-mail address. Never deleted, only deactivated: the audit refers to it."""

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects = UserManager()

    class Meta:
        """Addresses differ in more than their case."""

        constraints = [models.UniqueConstraint(Lower("email"), name="accounts_one_user_per_address")]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        """The name, as Django's own texts ask for it."""
        return self.name


class Membership(models.Model):
    """One role of one person for one entity, or for all entities where ``entity`` is empty."""

    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    entity = models.ForeignKey("books.Entity", models.PROTECT, null=True, related_name="memberships")
    role = models.CharField(max_length=20, choices=ROLES)
    granted_at = models.DateTimeField()

    class Meta:
        """A role is held once. Two constraints, because an empty entity is not equal to itself in SQL."""

        constraints = [
            models.UniqueConstraint(fields=["user", "entity", "role"], name="accounts_role_once_per_entity"),
            models.UniqueConstraint(
                fields=["user", "role"], condition=models.Q(entity=None), name="accounts_role_once_for_all"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} {self.entity_id or 'all'}"


class Invitation(models.Model):
    """An invitation by e-mail to take a role. Only the hash of its secret is kept."""

    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=20, choices=ROLES)
    entity = models.ForeignKey("books.Entity", models.PROTECT, null=True, related_name="invitations")
    secret_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    def __str__(self) -> str:
        return f"invitation {self.pk}"
