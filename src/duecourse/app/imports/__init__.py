"""Exports on their way into the books: uploaded, read, checked, loaded."""
