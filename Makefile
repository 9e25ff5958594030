# make book    the whole book, from nothing: environment, packaged data, execution, HTML
# make test    every test but those of make torture
# make lint    ruff, mypy, import-linter, as pre-commit runs them
# make data    what the `reduced` preset needs (MIRROR=folder to take files from a folder)
# make lab     JupyterLab, chapters open as notebooks
# make bench   side-by-side measurements, one table
# make torture faults that really happen: kills, full disks, damage; minutes. As root it does a little more
# make single  the whole book as one page; make pdf   that page printed, where Chromium or Chrome is installed
# make house   draw the picture of ARCHITECTURE.md again, from the code
# make setup   the environment .venv alone; make clean   what was built, but neither environment nor runs
# make lock    requirements/book.txt: the book's environment, every package with its hashes
# make sbom    every installed package with version and licence, as CycloneDX; make audit   known holes in them
# make help    these lines
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
MIRROR ?=
SINGLE := _build/singlehtml/intro.html
AUDIT := $(VENV)/audit

.PHONY: help book test torture lint data lab bench house single pdf lock sbom audit setup clean
.DEFAULT_GOAL := book

help:
	@sed -n '/^#/!q; s/^# //p' $(firstword $(MAKEFILE_LIST))

setup: $(STAMP)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"Python 3.11 or newer is needed, this is {v[0]}.{v[1]}: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[book,test,dev]'
	$(BIN)/python -m data_scripts quick
	@touch $@

book: $(STAMP)
	$(BIN)/python -m lib chapters build

test: $(STAMP)
	$(BIN)/pytest --numprocesses 2

torture: $(STAMP)
	$(BIN)/pip install --quiet --editable '.[cluster]'
	$(BIN)/pytest tests/torture -m "torture or not torture" --numprocesses 2 --dist worksteal --durations 10
	$(BIN)/pytest -m hypothesis --hypothesis-profile random --numprocesses 2

lint: $(STAMP)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pre-commit run --all-files

data: $(STAMP)
	$(BIN)/python -m data_scripts reduced $(if $(MIRROR),--mirror $(MIRROR))

bench: $(STAMP)
	$(BIN)/python -m benchmarks

house: $(STAMP)
	$(BIN)/python tests/house.py

single: $(STAMP)
	$(BIN)/jupyter-book build book/ --builder singlehtml --quiet
	@echo "$(CURDIR)/$(SINGLE)"

pdf: single
	@chromium=$$(command -v chromium || command -v chromium-browser || command -v google-chrome) || { \
	  echo "make pdf prints with Chromium or Chrome, and found neither. Print $(SINGLE) from your browser."; exit 1; }; \
	profile=$$(mktemp -d); \
	"$$chromium" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking \
	  --user-data-dir="$$profile" --virtual-time-budget=120000 --no-pdf-header-footer \
	  --print-to-pdf=_build/book.pdf "file://$(CURDIR)/$(SINGLE)" 2>/dev/null; rm -rf "$$profile"
	@test -s _build/book.pdf && echo "$(CURDIR)/_build/book.pdf"

# The three tools have an environment of their own: they are no part of what they list.
$(AUDIT)/.stamp: $(STAMP)
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/pip install --quiet 'cyclonedx-bom==7.*' 'pip-audit==2.*' 'pip-tools==7.*'
	@touch $@

sbom: $(AUDIT)/.stamp
	@mkdir -p _build
	$(AUDIT)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
	  --output-file _build/sbom.json $(BIN)/python

audit: $(AUDIT)/.stamp
	$(AUDIT)/bin/pip-audit --path $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
	@echo "No line above says a package is safe: those \"not found on PyPI\" were not looked at."

lock: $(AUDIT)/.stamp
	$(AUDIT)/bin/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header --no-annotate \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --extra book --extra test \
	  --output-file requirements/book.txt pyproject.toml

lab: $(STAMP)
	$(BIN)/pip install --quiet --editable '.[lab]'
	PYTHONPATH="$(CURDIR)" JUPYTER_CONFIG_PATH=$(CURDIR)/.jupyter $(BIN)/jupyter lab book/

clean:
	rm -rf _build
