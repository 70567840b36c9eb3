"""`python -m flows.cli` is `thaw`."""

from flows.cli import main

main()
