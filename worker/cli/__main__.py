"""`python -m worker.cli` is `digitmill`."""

from worker.cli import main

main(prog_name="digitmill")
