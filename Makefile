# Targets for readers and contributors. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.SUFFIXES:

PYTHON ?= python3
PORT ?= 8000
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-complete
LAB := .venv-lab

LOCK_FLAGS := --extra dev --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet

.PHONY: help setup book pdf test lint format serve lab cohorts bench lock clean distclean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1|\2/' \
		| awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'

setup: $(STAMP) ## create .venv with the pinned packages (done by the other targets when needed)

# uv comes from its own pinned line of the lock. Where uv, or uv's way to the packages, is not
# available, pip installs the same lock, only more slowly.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "make setup: $(PYTHON) is missing or older than Python 3.11."; \
		echo "  Found: $$($(PYTHON) --version 2>&1 || true)"; \
		echo "  Name another interpreter, for instance: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 2; }
	@echo "[set-up] virtual environment in $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { \
		echo "make setup: '$(PYTHON) -m venv' failed; on Debian and Ubuntu install python3-venv."; exit 2; }
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/bootstrap.txt
	@echo "[set-up] installing $$(grep -c '^[a-z]' requirements.lock) pinned packages (about a minute at most)"
	@if $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
			-r $(VENV)/bootstrap.txt 2>$(VENV)/bootstrap.log \
		&& $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode \
			-r requirements.lock; \
	then installer="$(BIN)/uv pip install --quiet --python $(BIN)/python"; \
	else echo "[set-up] uv could not install the packages; pip does it instead (one to two minutes)"; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
			-r requirements.lock \
			|| { echo "make setup: pip could not install requirements.lock"; exit 1; }; \
		installer="$(BIN)/python -m pip install --quiet --disable-pip-version-check"; \
	fi; \
	$$installer --no-deps --no-build-isolation --editable .
	@touch $@
	@echo "[set-up] done"

book: $(STAMP) ## execute all notebooks and build the site into _build/html
	@$(BIN)/rederive build --jobs $(JOBS)

pdf: book ## the built book as one PDF, _build/pdf/book.pdf (needs Chromium)
	@$(BIN)/python tools/book_pdf.py

# The chain that draws cohorts is compiled once for all tests, while the other core checks types.
test: $(STAMP) ## lint, format check, type check and all tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy & drawn=$$(mktemp -d); $(BIN)/rederive reconstruct data/examples/grip-strength.yaml \
		--cohorts 1 --out $$drawn/one.csv >/dev/null; rm -r $$drawn; wait $$!
	$(BIN)/pytest -n $$(($(JOBS) + 1)) # tests wait for browsers and clusters

lint: $(STAMP) ## lint, format check and type check only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP) ## rewrite the sources in the project's format
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

serve: $(STAMP) ## show the built site on localhost (PORT=8000)
	@$(BIN)/rederive serve --port $(PORT)

# JupyterLab has an environment of its own, for it slows reading notebooks down; the kernel is that
# of the project, under both names that its notebooks ask for.
lab: $(STAMP) ## open the notebooks in JupyterLab, with the project's kernel
	@[ -x $(LAB)/bin/jupyter-lab ] || { echo "[lab] installing JupyterLab in $(LAB) (once)"; \
		$(PYTHON) -m venv $(LAB) && $(LAB)/bin/python -m pip install --quiet \
			--disable-pip-version-check "jupyterlab>=4,<5" "jupyterlab-myst>=2" || exit 1; }
	@for name in python3 ivig-dcssc; do JUPYTER_PATH=$(CURDIR)/$(LAB)/share/jupyter \
		$(BIN)/python -m ipykernel install --prefix $(LAB) --name $$name \
		--display-name "Python (IVIG book)" >/dev/null || exit 1; done
	@$(LAB)/bin/jupyter-lab --LabApp.default_url=/lab/tree/notebooks $(LAB_FLAGS) .

cohorts: $(STAMP) ## make the shipped cohorts, predictions and bounds where they are missing (an hour)
	$(BIN)/python -m ivig_dcssc.shipped

bench: $(STAMP) ## run the benchmarks
	@for script in benchmarks/*.py; do [ -e "$$script" ] || continue; \
		echo "[bench] $$script"; $(BIN)/python "$$script" || exit 1; done

lock: $(STAMP) ## refresh requirements.lock from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml $(LOCK_FLAGS) --upgrade --output-file requirements.lock

clean: ## remove what the build wrote, keep .venv
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## also remove .venv
	rm -rf $(VENV) $(LAB)
