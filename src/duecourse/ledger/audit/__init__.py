"""The audit of a ledger before anything is computed from it: data faults, reach of the history, baseline measures."""
