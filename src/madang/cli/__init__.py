"""The command line. Each command imports what it needs when it runs: start-up time is a feature."""
