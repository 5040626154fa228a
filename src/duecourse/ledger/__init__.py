"""The ledger: one set of facts, two times per fact, one question ``as_of``. See docs/concepts.md."""
