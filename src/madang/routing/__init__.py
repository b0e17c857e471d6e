"""Which models a client may name, and where each leads."""
