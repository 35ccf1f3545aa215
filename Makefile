# Two commands matter: `make demo` and `make test`. `make` alone prints them all.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

export TF_CPP_MIN_LOG_LEVEL ?= 2

help:  ## print the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.runtime  ## digitize the bundled sample scans end to end into SQLite
	@$(BIN)/python examples/demo.py

test: lint types unit  ## lint, types and all tests, with a Redis and a PostgreSQL of their own

lint: $(VENV)/.dev  ## ruff and the import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.dev  ## mypy, strict
	$(BIN)/mypy

unit: $(VENV)/.dev servers
	$(BIN)/python -m pytest -n 2 --dist loadfile

servers:
	@scripts/require-system-packages redis-server postgresql

accuracy: $(VENV)/.dev  ## the full accuracy run: drawn pages, real scans where they are; writes docs/accuracy.md
	$(BIN)/python -m benchmarks.accuracy --write

bench: $(VENV)/.dev  ## speed beside a bare decode of the same bytes; writes benchmarks/README.md's table
	$(BIN)/python -m benchmarks.speed --write

rivals:  ## beside the naive recipe, Tesseract and RapidOCR, in an environment of their own; writes benchmarks/rivals.md
	@scripts/require-system-packages tesseract-ocr
	@$(MAKE) --no-print-directory VENV=.venv-rivals .venv-rivals/.rivals
	.venv-rivals/bin/python -m benchmarks.rivals --write $(if $(NAIVE_MODEL),--naive-model $(NAIVE_MODEL))

chaos: $(VENV)/.dev servers  ## kill -9 and FLUSHALL in the middle of a batch, the full run
	$(BIN)/python -m benchmarks.chaos --write

soak: $(VENV)/.dev servers  ## a batch of 2,000 pages: memory, and what the queue adds; writes benchmarks/soak.md
	$(BIN)/python -m benchmarks.soak --write

samples: $(VENV)/.dev  ## draw examples/scans and its truth again
	$(BIN)/python -m examples.draw_samples

model-card: $(VENV)/.dev  ## docs/model-card.md and its pictures, from the committed scorecards
	$(BIN)/digitmill-train report

reference: $(VENV)/.dev  ## docs/commands.md and docs/settings.md, from the commands and settings themselves
	$(BIN)/python scripts/write_reference.py

notebook: $(VENV)/.dev  ## run training/walkthrough.ipynb from top to bottom
	$(BIN)/python -m training.walkthrough

clean:  ## remove the virtual environment and everything built
	rm -rf $(VENV) build dist out *.egg-info .mypy_cache .ruff_cache .pytest_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "Digitmill needs Python 3.11, 3.12 or 3.13; name one: make PYTHON=python3.12 ..." >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || scripts/require-system-packages python3-venv
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 2; }

$(VENV)/.runtime: pyproject.toml constraints.txt | $(VENV)/bin/python
	@scripts/require-system-packages libgl1 libglib2.0-0
	@echo "Installing Digitmill into $(VENV) ..." >&2
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/.runtime
	@echo "Installing what training and the tests need (TensorFlow, 2.5 GB) ..." >&2
	@$(PIP) --editable '.[training,postgres,dev]'
	@touch $@

$(VENV)/.rivals: pyproject.toml constraints.txt | $(VENV)/.runtime
	@$(PIP) --editable '.[rivals]'
	@touch $@

.PHONY: help demo test lint types unit servers accuracy bench rivals chaos soak samples model-card reference notebook clean
