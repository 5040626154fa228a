"""Policies over the arrays of a ``Book`` that know nothing of the truth: ``ladder``, and simple ones.

Each is a callable ``policy(book, capacity, seed) -> Decided``. A policy with ``begin`` is told of a new run first.
"""
