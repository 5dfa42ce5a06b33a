# `make` or `make help` lists what there is. Everything runs in .venv, which the first target that needs it makes.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
READY := .venv/.ready
# As pip does: many company networks have certificates of their own.
export UV_SYSTEM_CERTS := true

.PHONY: help demo console test processes field browser docs engine lint format bench fuzz chaos safeguards load soak coverage audit workflows lock newest clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 11

demo: $(READY) ## the whole connector on this machine, with sample files
	@$(BIN)/python -m sandbox

test: $(READY) ## the tests of a minute
	@$(BIN)/python -m pytest --numprocesses auto --dist loadgroup -m 'not processes' tests tests/field/test_stories.py

processes: $(READY) ## the tests that start the function's package, servers or the console as processes, or take seconds
	@$(BIN)/python -m pytest --numprocesses auto --dist loadgroup -m processes

field: $(READY) ## what people and tools put into the bucket, through the whole path; the demo and what it prints
	@$(BIN)/python -m pytest --numprocesses auto --dist loadgroup tests/field

console: $(READY) ## the console's page with the sandbox behind it: everything to try, without any account
	@$(BIN)/tiktok-activation web --sandbox

AS_ROOT := $(shell test "$$(id -u)" = 0 || echo sudo)
CHROMIUM := command -v chromedriver >/dev/null || { $(AS_ROOT) apt-get update -qq && \
	$(AS_ROOT) apt-get install -qq -y chromium chromium-driver >/dev/null; }
browser: $(READY) ## the console against the running sandbox: its commands, and its page in Chromium
	@$(CHROMIUM)
	@$(BIN)/python -m pytest --numprocesses 0 tests/browser

docs: $(READY) ## every shell line of the documentation, against the sandbox
	@$(BIN)/python -m pytest --numprocesses 0 tests/docs

engine: $(READY) ## the stack under Pulumi's real engine, which is built from its Go modules the first time
	@$(BIN)/python -m tests.engine.toolchain
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile tests/engine

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
	@$(BIN)/python -m tests.handler.cleaning.fuzz --seconds $(FOR)

SEED := 1
chaos: $(READY) ## the connector under faults of every kind, then an independent check; SEED=7 repeats a run
	@$(BIN)/python -m tests.chaos --seed $(SEED)

safeguards: $(READY) ## chaos without each safeguard in turn, to see that it notices; a quarter of an hour
	@$(BIN)/python -m tests.chaos.safeguards

load: $(READY) ## files a minute and rows a second for 1 to 50 advertisers, and what one TikTok app supports
	@$(BIN)/python -m tests.load.throughput
	@$(BIN)/python -m tests.load.app_limits

FILES := 10000
soak: $(READY) ## peak memory of one function after FILES=10000 small files, and after a tenth of them
	@$(BIN)/python -m tests.load.soak --files $(FILES)

coverage: $(READY) ## all tests but the engine's, with line and branch coverage; fails below the floor in pyproject.toml
	@$(CHROMIUM)
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest --numprocesses auto --dist loadgroup tests tests/field
	@$(BIN)/coverage run -m pytest --numprocesses 0 tests/browser tests/docs
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

audit: $(UV) ## known vulnerabilities in the pinned packages, asked of the Python Packaging Advisory Database
	@$(UV) tool run --quiet pip-audit@2.10.1 --require-hashes --disable-pip --strict --requirement requirements-dev.txt
	@$(UV) tool run --quiet pip-audit@2.10.1 --require-hashes --disable-pip --strict --requirement handler/requirements.txt

workflows: $(UV) ## the workflows of GitHub Actions: mistakes and risks; needs Go
	@$(UV) tool run --quiet zizmor@1.32.0 --offline --quiet .github
	@go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

lock: $(UV) ## pin all requirements after a change to pyproject.toml or a requirements.in
	@$(LOCK) requirements-uv.in --output-file=requirements-uv.txt
	@$(LOCK) pyproject.toml --output-file=requirements.txt
	@$(LOCK) pyproject.toml --extra=console --group=dev --constraint=requirements.txt --output-file=requirements-dev.txt
	@cd handler && ../$(LOCK) requirements.in --no-emit-package=charset-normalizer --output-file=requirements.txt

newest: $(READY) ## install the newest version of every package, whatever is pinned; for a weekly run of the tests
	@mkdir -p .build/newest
	@sed -E 's/==[0-9][^"]*"/"/' pyproject.toml > .build/newest/pyproject.toml
	@cd .build/newest && ../../$(UV) pip install --quiet --python ../../$(BIN)/python --upgrade \
		--requirement pyproject.toml --extra console --group dev

# The command stands in the header of each file: from there, update bots know how the file is made.
LOCK := $(UV) pip compile --quiet --universal --python-version=3.11 --generate-hashes

clean: ## remove what was made
	@rm -rf .venv .build .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(READY): $(UV) requirements-dev.txt pyproject.toml
	@$(INSTALL) --require-hashes --requirement requirements-dev.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

INSTALL := $(UV) pip install --quiet --python $(BIN)/python

# pip installs only uv, checked by its hash, and uv installs the rest: seconds in place of minutes.
$(UV): requirements-uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=...")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@
