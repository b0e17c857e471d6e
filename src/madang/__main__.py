"""`python -m madang`: the same as the `madang` command."""

from madang.cli.main import main

main()
