"""Secrets of links: made at random, kept only as a hash."""

from __future__ import annotations

import hashlib
import secrets


def new_secret() -> str:
    """A secret of 256 bits that fits into an address."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What is stored of a secret. A plain hash serves: nobody can guess 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()
