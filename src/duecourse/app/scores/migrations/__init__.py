"""How the tables of this feature came to be."""
