# make book    the whole book, from nothing: environment, packaged data, execution, HTML
# make test    every test
# make lint    ruff, mypy, import-linter, as pre-commit runs them
# make data    what the `reduced` preset needs (MIRROR=folder to take files from a folder)
# make lab     JupyterLab, chapters open as notebooks
# make bench   side-by-side measurements, one table
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
MIRROR ?=

.PHONY: book test lint data lab bench setup clean
.DEFAULT_GOAL := book

setup: $(STAMP)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"Python 3.11 or newer is needed, this is {v[0]}.{v[1]}: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[book,test,dev]'
	$(BIN)/python -m data_scripts quick
	@touch $@

book: $(STAMP)
	$(BIN)/python -m lib chapters refresh
	$(BIN)/jupyter-book build book/ --warningiserror --nitpick --keep-going --quiet
	@$(BIN)/python -m lib chapters check

test: $(STAMP)
	$(BIN)/pytest --numprocesses 2

lint: $(STAMP)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pre-commit run --all-files

data: $(STAMP)
	$(BIN)/python -m data_scripts reduced $(if $(MIRROR),--mirror $(MIRROR))

bench: $(STAMP)
	$(BIN)/python -m benchmarks

lab: $(STAMP)
	$(BIN)/pip install --quiet --editable '.[lab]'
	JUPYTER_CONFIG_PATH=$(CURDIR)/.jupyter $(BIN)/jupyter lab book/

clean:
	rm -rf _build
