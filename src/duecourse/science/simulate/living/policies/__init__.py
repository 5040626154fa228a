"""Policies over the arrays of a ``Book``: simple ones, the ladder, a random logger, and two that know the truth's form.

Each is a callable ``policy(book, capacity, seed) -> Decided``. A policy with ``begin`` is told of a new run first.
"""
