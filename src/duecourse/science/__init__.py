"""What the books teach: payment timing, decisions, language and their evaluation; pure functions of a ``View``."""
