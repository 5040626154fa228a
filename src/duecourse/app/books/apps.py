"""Registers the feature with Django."""

from django.apps import AppConfig


class BooksConfig(AppConfig):
    """The receivables ledgers of the legal entities."""

    name = "duecourse.app.books"
    label = "books"
