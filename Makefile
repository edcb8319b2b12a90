# Everything is set up in .venv by the first target that needs it; uv is used where it is installed, else pip.
PYTHON ?= python3
JOBS ?= 3
ARGS ?=
BIN := .venv/bin
STAMP := .venv/.set-up
LOCK_OPTIONS := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

.DEFAULT_GOAL := help
.PHONY: help demo test test-full check bench setup lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(STAMP) ## Capture a generated repository here, on real servers; options in ARGS="--kill --stay"
	@$(BIN)/capture demo $(ARGS)

test: check ## Static checks, then the unit, integration and acceptance tests
	$(BIN)/pytest -n $(JOBS) tests/unit tests/integration tests/acceptance $(ARGS)

test-full: check ## Every test there is, the long ones too
	$(BIN)/pytest -n $(JOBS) tests $(ARGS)

check: $(STAMP) ## ruff, mypy --strict and the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP) ## Measure rates and latencies on this machine
	$(BIN)/python -m benchmarks $(ARGS)

setup: $(STAMP) ## Make .venv from constraints.txt, every file checked against its hash

lock: $(STAMP) ## Choose newer versions: write constraints.txt anew (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: pip install uv" >&2; exit 1; }
	uv pip compile $(LOCK_OPTIONS) --upgrade --extra local --extra dev --group build pyproject.toml --output-file constraints.txt --quiet

clean: ## Remove .venv and every cache; captured data stays where it is
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): constraints.txt pyproject.toml
	@PYTHON="$(PYTHON)" sh .ci/set-up
	@touch $@
