# Everything a newcomer types. `make` alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
UV = $(shell command -v uv || echo .tools/bin/uv)
ASSETS := $(shell find frontend src/nightbell/web/templates -type f -not -path '*/node_modules/*' 2>/dev/null) $(wildcard hatch_build.py)
COMPILE = $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

.PHONY: help run setup lint check test bench lock clean

help: ## List these commands.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/run.stamp ## Start Nightbell on http://127.0.0.1:8080 (ARGS="--port 9000" goes to `nightbell serve`).
	@exec $(BIN)/nightbell serve $(ARGS)

setup: .venv/dev.stamp ## Make the environment for working on Nightbell.

lint: setup ## Format, lint, types and imports, without running anything.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint ## What to run before every commit: lint, and the tests that need no server.
	$(BIN)/pytest -q tests/architecture tests/core $(ARGS)

test: lint ## Run everything; as root, first install the programs the tests drive.
	@scripts/test-needs
	$(BIN)/pytest -n 2 --dist loadfile --ignore tests/e2e $(ARGS)
	$(BIN)/pytest -n 2 --dist loadfile tests/e2e $(ARGS)

bench: setup ## Measure ingest, storms and latency on the real path.
	$(BIN)/python -m bench $(ARGS)

lock: setup ## Pin the newest dependencies that pyproject.toml allows.
	$(COMPILE) --upgrade pyproject.toml -o requirements/run.txt
	$(COMPILE) --upgrade -c requirements/run.txt --group dev pyproject.toml -o requirements/dev.txt

clean: ## Remove the environment and all caches; data directories are left alone.
	rm -rf .venv .tools dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The editable install builds the web assets, so it is made anew when their sources change.
.venv/run.stamp: requirements/run.txt pyproject.toml $(ASSETS)
	@scripts/environment requirements/run.txt
	@touch $@

.venv/dev.stamp: requirements/dev.txt pyproject.toml $(ASSETS)
	@scripts/environment requirements/dev.txt
	@touch $@ .venv/run.stamp
