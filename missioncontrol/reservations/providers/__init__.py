"""How stations are reserved with whom they belong to: one interface, adapters behind it."""
