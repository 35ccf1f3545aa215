"""The `digitmill` command: one command a file; errors become exit codes here only."""
