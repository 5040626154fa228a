"""Builders and slow reference implementations that tests share."""
