"""The command line: one module per verb, each a thin path from files through the house to files."""
