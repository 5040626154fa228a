"""The receivables ledgers of the legal entities."""
