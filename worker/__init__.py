"""Digitmill's command line, queue, database and pipeline."""
