# Two commands: `make serve` runs Madang, `make test` checks it. Each sets up what it needs.
#
# A stamp in the virtual environment says which lock file is installed; while it is newer than the lock
# no Python starts before Madang's own. Works with GNU make 3.81 (macOS) and any POSIX sh.

VENV ?= .venv
# Which of requirements/*.lock `make serve` uses: `runtime`, or `postgres` for that driver as well.
LOCK ?= runtime
BIN := $(VENV)/bin
READY := $(VENV)/$(LOCK).stamp
READY_DEV := $(VENV)/dev.stamp
# Other people's clients, which tests/clients runs: they hold back what ours is tested with.
CLIENTS := .venv-clients
READY_CLIENTS := $(CLIENTS)/clients.stamp
export PYTHON VENV

# Written by scripts/environment.py: where the environment was made. Its scripts name that path, so one
# that was moved or copied is made anew; so is one for which another interpreter is asked (PYTHON=…).
-include $(VENV)/made.mk
ifneq ($(MADE_IN)|$(PYTHON),$(CURDIR)|)
AGAIN := FORCE
endif

.PHONY: help serve test lint format lock bench clean FORCE
.DEFAULT_GOAL := help

help: ## Say what can be asked for
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 14

serve: $(READY) ## Run Madang on 127.0.0.1:4000; options in ARGS="--port 4001"
	@$(BIN)/madang serve $(ARGS)

# What fails fastest comes first; pytest's closing line comes last (tests/conftest.py prints the coverage).
test: $(READY_DEV) $(READY_CLIENTS) ## Lint, types, layers, then every test with its coverage; ARGS go to pytest
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/lint-imports --no-logo > $(VENV)/lint-imports.txt || { cat $(VENV)/lint-imports.txt; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest $(ARGS)

lint: $(READY_DEV) ## The checks of `make test` that run no code
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

format: $(READY_DEV) ## Format the code and mend what ruff can mend safely
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: ## Make requirements/*.lock again; ARGS=--upgrade takes newer versions (needs uv)
	@sh scripts/lock $(ARGS)

bench: $(READY_DEV) ## Measure; options in ARGS
	@$(BIN)/python benchmarks/bench.py $(ARGS)

clean: ## Remove the virtual environment and every cache
	rm -rf $(VENV) $(CLIENTS) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* build dist
	find src tests scripts benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

$(VENV)/%.stamp: requirements/%.lock pyproject.toml $(BIN)/python $(AGAIN)
	@sh scripts/environment $*

# Without a network it cannot be made, and the tests that need it are skipped.
$(READY_CLIENTS): requirements/clients.lock pyproject.toml $(AGAIN)
	@VENV=$(CLIENTS) sh scripts/environment clients || echo "make test goes on without $(CLIENTS)." >&2

# A missing interpreter is no error: it is what the rule above is for.
$(BIN)/python: ;
FORCE: ;
