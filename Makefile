# make demo, make test: everything a newcomer needs. `make help` lists the rest.

VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= auto

.DEFAULT_GOAL := help
.PHONY: help install develop demo test test-crash lint format docs lock clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

install:
	@scripts/install $(VENV) user

develop:
	@scripts/install $(VENV) development

demo: install ## Make a picture, a clip, music, speech and a transcript, without any key
	@$(BIN)/mediawright demo

test: develop ## Run the suite, but for what kills processes
	$(BIN)/python -m pytest -n $(WORKERS) -q -m "not crash"

test-crash: develop ## Kill servers at every point and reconcile what is left
	$(BIN)/python -m pytest -n $(WORKERS) -q -m crash

lint: develop ## Check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

format: develop ## Put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: develop ## Write the reference pages that come from the code
	$(BIN)/python scripts/write_reference.py

lock: develop ## Renew the lock files within the ranges of pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --upgrade --python-version 3.11 pyproject.toml \
	  --all-extras --no-emit-index-url --no-header -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --upgrade --python-version 3.11 pyproject.toml \
	  --all-extras --group dev --no-emit-index-url --no-header -o requirements-dev.lock

clean: ## Remove what was built and installed
	rm -rf $(VENV) dist build .pytest_cache .ruff_cache .hypothesis
