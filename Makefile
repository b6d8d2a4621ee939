# Two commands do all the set-up: `make demo` shows the tool at work, `make test` runs the tests.
# Both make a virtual environment of their own, from python3 (3.11 or newer) and git.

PYTHON ?= python3
VENV ?= .venv
# What is tested: the package as it lies here, or a wheel.
PACKAGE ?= --editable .
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
DEMO := build/demo/shop

.PHONY: demo test integration engine engine-report mutants lint format generate bench clean

demo: $(VENV)/.runtime
	@rm -rf build/demo && mkdir -p build/demo && cp -R fixtures/demo/before $(DEMO)
	@git -C $(DEMO) init --quiet
	@echo "== What would change: migrate-cache --dry-run" && echo
	@cd $(DEMO) && $(CURDIR)/$(BIN)/migrate-cache --dry-run
	@echo && echo "== The migration: migrate-cache" && echo
	@cd $(DEMO) && $(CURDIR)/$(BIN)/migrate-cache
	@rm -rf $(DEMO)/.git && diff -r fixtures/demo/after $(DEMO)
	@echo && echo "== Done: $(DEMO) is fixtures/demo/after, byte for byte."

# All but the tiers below.
test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

# Installs the package in every way that the README shows, and runs the hooks and the examples.
integration: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto -m integration $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The schema of the configuration, and parts of the README and the examples; --check writes nothing.
generate: $(VENV)/.runtime
	$(BIN)/python tools/generate.py $(ARGS)

# Builds images on private engines and prints what that showed. Needs root and Debian's packages
# docker.io, buildah, busybox-static, and debootstrap for the engines of a newer Debian.
engine: $(VENV)/.dev
	$(BIN)/python -m pytest -m engine -p no:xdist tests/engine $(ARGS)

# The same, and the README's table of what it showed.
engine-report: $(VENV)/.dev
	@mkdir -p build
	$(BIN)/python -m pytest -m engine -p no:xdist tests/engine --engine-report build/engine.md $(ARGS)
	sed -i -e '/<!-- engine:begin -->/,/<!-- engine:end -->/{//!d}' \
	    -e '/<!-- engine:begin -->/r build/engine.md' README.md

# Small changes to the code that decides: prints those that no test notices. Half an hour at most.
mutants: $(VENV)/.dev
	$(BIN)/python -m tests.mutants $(ARGS)

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/reading.py
	$(BIN)/python benchmarks/files.py

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) $(PACKAGE)
	@touch $@

# Groups need pip 25.1.
$(VENV)/.dev: $(VENV)/.runtime
	$(PIP) --upgrade pip
	$(PIP) --group dev
	@touch $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
