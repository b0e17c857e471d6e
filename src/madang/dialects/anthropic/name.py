"""What the dialect is called in records, losses and leftovers."""

NAME = "anthropic"
