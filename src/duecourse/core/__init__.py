"""The ground floor: errors, money, calendar, ids and keyed randomness. Knows nothing above it."""
