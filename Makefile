# `make` or `make help` lists the targets. Everything runs in .venv, which the first target that needs it creates.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
READY := .venv/.ready
# uv uses the system's certificates, like pip, because many company networks have their own.
export UV_SYSTEM_CERTS := true

.PHONY: help demo console test processes field browser docs engine lint format bench fuzz chaos safeguards load soak coverage audit workflows lock newest clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 11

demo: $(READY) ## run the complete connector on this machine with sample files
	@$(BIN)/python -m sandbox

test: $(READY) ## run the fast tests, which take about a minute
	@$(BIN)/python -m pytest --numprocesses auto --dist loadgroup -m 'not processes' tests tests/field/test_stories.py

processes: $(READY) ## run the tests that start processes (the packaged function, servers, the console) or take seconds
	@$(BIN)/python -m pytest --numprocesses auto --dist loadgroup -m processes

field: $(READY) ## run the tests of real-world uploads from end to end, and of the demo and its output
	@$(BIN)/python -m pytest --numprocesses auto --dist loadgroup tests/field

console: $(READY) ## open the console's web page with the sandbox, to try everything without an account
	@$(BIN)/tiktok-activation web --sandbox

AS_ROOT := $(shell test "$$(id -u)" = 0 || echo sudo)
CHROMIUM := command -v chromedriver >/dev/null || { $(AS_ROOT) apt-get update -qq && \
	$(AS_ROOT) apt-get install -qq -y chromium chromium-driver >/dev/null; }
browser: $(READY) ## test the console's commands, and its web page in Chromium, against the running sandbox
	@$(CHROMIUM)
	@$(BIN)/python -m pytest --numprocesses 0 tests/browser

docs: $(READY) ## run every shell line of the documentation against the sandbox
	@$(BIN)/python -m pytest --numprocesses 0 tests/docs

engine: $(READY) ## test the stack with Pulumi's real engine, which is built from its Go modules the first time
	@$(BIN)/python -m tests.engine.toolchain
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile tests/engine

lint: $(READY) ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY) ## fix the style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY) ## measure performance and compare it with the budgets; JSON=1 prints JSON
	@$(BIN)/python -m tests.bench $(if $(JSON),--json)

FOR := 60
fuzz: $(READY) ## test with hostile files and keys for FOR=60 seconds
	@$(BIN)/python -m tests.handler.cleaning.fuzz --seconds $(FOR)

SEED := 1
chaos: $(READY) ## run the connector with random faults, then check the result independently; SEED=7 repeats a run
	@$(BIN)/python -m tests.chaos --seed $(SEED)

safeguards: $(READY) ## run chaos without one safeguard at a time, to check that it detects each loss; 15 minutes
	@$(BIN)/python -m tests.chaos.safeguards

load: $(READY) ## measure files per minute and rows per second for 1 to 50 advertisers, and the limits of one TikTok app
	@$(BIN)/python -m tests.load.throughput
	@$(BIN)/python -m tests.load.app_limits

FILES := 10000
soak: $(READY) ## measure the peak memory of one function after FILES=10000 small files, and after a tenth of them
	@$(BIN)/python -m tests.load.soak --files $(FILES)

coverage: $(READY) ## measure the coverage of all tests except `engine`; fails below the minimum in pyproject.toml
	@$(CHROMIUM)
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest --numprocesses auto --dist loadgroup tests tests/field
	@$(BIN)/coverage run -m pytest --numprocesses 0 tests/browser tests/docs
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

audit: $(UV) ## look up known vulnerabilities of the pinned packages in the Python Packaging Advisory Database
	@$(UV) tool run --quiet pip-audit@2.10.1 --require-hashes --disable-pip --strict --requirement requirements-dev.txt
	@$(UV) tool run --quiet pip-audit@2.10.1 --require-hashes --disable-pip --strict --requirement handler/requirements.txt

workflows: $(UV) ## check the GitHub Actions workflows for errors and security risks; needs Go
	@$(UV) tool run --quiet zizmor@1.32.0 --offline --quiet .github
	@go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

lock: $(UV) ## pin all requirements after a change to pyproject.toml or a requirements.in
	@$(LOCK) requirements-uv.in --output-file=requirements-uv.txt
	@$(LOCK) pyproject.toml --output-file=requirements.txt
	@$(LOCK) pyproject.toml --extra=console --group=dev --constraint=requirements.txt --output-file=requirements-dev.txt
	@cd handler && ../$(LOCK) requirements.in --no-emit-package=charset-normalizer --output-file=requirements.txt

newest: $(READY) ## install the newest version of every package instead of the pinned ones, for the weekly test run
	@mkdir -p .build/newest
	@sed -E 's/==[0-9][^"]*"/"/' pyproject.toml > .build/newest/pyproject.toml
	@cd .build/newest && ../../$(UV) pip install --quiet --python ../../$(BIN)/python --upgrade \
		--requirement pyproject.toml --extra console --group dev

# uv writes this command into the header of each file, where update bots read it.
LOCK := $(UV) pip compile --quiet --universal --python-version=3.11 --generate-hashes

clean: ## remove everything that make created
	@rm -rf .venv .build .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(READY): $(UV) requirements-dev.txt pyproject.toml
	@$(INSTALL) --require-hashes --requirement requirements-dev.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

INSTALL := $(UV) pip install --quiet --python $(BIN)/python

# pip installs only uv and checks its hash. uv installs everything else, in seconds instead of minutes.
$(UV): requirements-uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is required. Set PYTHON to its path: make PYTHON=python3.13")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@
