# Every target sets itself up in .venv from nothing but python3, and is quick the second time.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 8000
# pytest-xdist starts one worker per core; `make test PYTEST_ARGS="tests/server -x"` runs a part of the tests in this process.
PYTEST_ARGS ?= -n auto

.DEFAULT_GOAL := help
.PHONY: help serve demo test lint check bench image clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

serve: $(VENV)/.server ## start the server on http://127.0.0.1:8000 (HOST=, PORT=)
	$(BIN)/gradwire serve --host $(HOST) --port $(PORT) --log-format text

demo: $(VENV)/.server ## start a server, send it a few programs, print values and gradients, stop it
	$(BIN)/python -m scripts.demo

test: $(VENV)/.dev ## run the tests, warnings being errors
	$(BIN)/python -m pytest -W error $(PYTEST_ARGS)

lint: $(VENV)/.dev ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint test ## everything that a change must pass

bench: $(VENV)/.bench ## compare with autograd, MyGrad, JAX, UM-Bridge, Tesseract and, where it is installed, torch
	$(BIN)/python -m benchmarks

image: ## build the container image gradwire:latest (CONTAINER=podman, buildah)
	$(or $(CONTAINER),docker) build -t gradwire:latest .

clean: ## remove .venv and every cache
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

# One stamp per extra, made again when pyproject.toml changes. Every extra here brings the server with it.
$(VENV)/.server $(VENV)/.dev $(VENV)/.bench: $(VENV)/.%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@ $(VENV)/.server

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Gradwire needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0] + ". Name another one by: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
