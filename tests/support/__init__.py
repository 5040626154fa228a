"""Builders that all tests share."""
