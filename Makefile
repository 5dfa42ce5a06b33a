# `make` or `make help` lists what there is. Everything runs in .venv, which the first target that needs it makes.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help demo test lint format bench fuzz lock clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

demo: $(READY) ## the whole connector on this machine, with sample files
	@$(BIN)/python -m sandbox

test: $(READY) ## all tests
	@$(BIN)/python -m pytest --numprocesses auto --dist worksteal

lint: $(READY) ## style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY) ## put style right
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY) ## what it costs, against its budgets; JSON=1 for machines
	@$(BIN)/python -m tests.bench $(if $(JSON),--json)

FOR := 60
fuzz: $(READY) ## hostile files and keys for FOR=60 seconds
	@$(BIN)/python -m tests.handler.fuzz --seconds $(FOR)

lock: $(READY) ## pin all requirements anew after a change to pyproject.toml or handler/requirements.in
	@$(BIN)/pip install --quiet --disable-pip-version-check uv
	@$(LOCK) pyproject.toml --output-file requirements.txt
	@$(LOCK) pyproject.toml --group dev --constraint requirements.txt --output-file requirements-dev.txt
	@$(LOCK) handler/requirements.in --output-file handler/requirements.txt

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links

clean: ## remove what was made
	@rm -rf .venv .build .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(READY): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=...")'
	@echo "Making the environment .venv; this takes a minute the first time." >&2
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@
