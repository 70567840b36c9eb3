# Everything a person needs: `make run`, `make test`. Each target sets up what it needs first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV_VERSION := 0.13.8
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Every stage is a process of its own: without bytecode each would compile all that it imports, which doubles the time of a small run.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install run test test-fast lint lock bench backbone text-backbone sound-backbone ui clean
.DEFAULT_GOAL := help

help:            ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 20

install: $(VENV)/.installed  ## Set up .venv from the lock

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Thaw needs Python 3.11 or newer; say which with make PYTHON=python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	command -v uv > /dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	VIRTUAL_ENV=$(CURDIR)/$(VENV) uv pip sync --quiet --require-hashes --compile-bytecode requirements.lock
	VIRTUAL_ENV=$(CURDIR)/$(VENV) uv pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

run: install     ## Run the whole pipeline and print what it made
	thaw run

test: install    ## Run every test
	OMP_NUM_THREADS=1 pytest -q -n 3 --dist loadfile --no-loadscope-reorder

test-fast: install ## Run the fast tests only
	OMP_NUM_THREADS=1 pytest -q -n 2 -m "not slow"

lint: install    ## Check style, types and the floors
	ruff check .
	ruff format --check .
	mypy
	lint-imports

lock:            ## Make requirements.lock again from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--extra dev pyproject.toml -o requirements.lock

bench: install   ## Run every benchmark, a minute each; FULL=1 for the figures of docs/benchmarks.md
	for script in benchmarks/*.py; do python $$script $(if $(FULL),,--quick) || exit 1; done

backbone: install ## Make the embedded backbone again, by the pipeline of data/pretrain
	trap 'rm -f data/pretrain/dvc.yaml' EXIT; trap 'exit 130' INT TERM; \
	cp data/pretrain/pipeline.yaml data/pretrain/dvc.yaml && dvc repro data/pretrain/dvc.yaml

text-backbone: install ## Make the embedded word vectors again, by the pipeline of data/pretrain/texts
	trap 'rm -f data/pretrain/texts/dvc.yaml' EXIT; trap 'exit 130' INT TERM; \
	cp data/pretrain/texts/pipeline.yaml data/pretrain/texts/dvc.yaml && OMP_NUM_THREADS=1 dvc repro data/pretrain/texts/dvc.yaml

sound-backbone: install ## Make the embedded sound network again, by the pipeline of data/pretrain/sounds
	trap 'rm -f data/pretrain/sounds/dvc.yaml' EXIT; trap 'exit 130' INT TERM; \
	cp data/pretrain/sounds/pipeline.yaml data/pretrain/sounds/dvc.yaml && OMP_NUM_THREADS=1 dvc repro data/pretrain/sounds/dvc.yaml

ui: install      ## Start the MLflow and Prefect pages and serve the report
	thaw ui

clean:           ## Show what would be removed; CONFIRM=1 removes it: the environment, caches, and all that runs have made
	@git clean -Xd $(if $(CONFIRM),--force,--dry-run)
