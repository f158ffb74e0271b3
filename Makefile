# Everything a developer does here; `make help` lists it. A fresh machine needs Python 3.11 (with venv) and make.
PYTHON ?= python3
VENV   ?= .venv
STAMP  := $(VENV)/.installed
PY     := $(VENV)/bin/python
ARGS   ?=
.DEFAULT_GOAL := help
# The tests start Python hundreds of times: where this is set, each start would compile the whole server again.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help run test core lint interop bench chaos crash clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

run: $(STAMP)  ## start the server with etc/fermata.toml; prints an account at the first start
	$(VENV)/bin/twistd --nodaemon --pidfile= fermata --config etc/fermata.toml $(ARGS)

test: $(STAMP)  ## lint, types and every test that needs no peer (under 5 minutes)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(PY) -m pytest -n 2 -m 'not interop' $(ARGS)

core: $(STAMP)  ## the sans-io tests alone, in seconds
	$(PY) -m pytest -q tests/xmpp tests/core tests/test_architecture.py $(ARGS)

interop: $(STAMP)  ## get real clients and peers into .cache and drive them (minutes; needs apt-get)
	$(PY) -m pytest -o timeout=600 tests/interop tests/federation $(ARGS)

crash: $(STAMP)  ## kill -9 at any instant, of one server and of one of two: is anything lost? (ARGS='--rounds 20')
	PYTHONPATH=tests $(PY) -m kit.crash $(ARGS)

chaos: $(STAMP)  ## everything that breaks, with every client that is modelled: is everybody still in?
	FERMATA_CHAOS=1 $(PY) -m pytest -n 2 tests/scenarios tests/crash $(ARGS)

bench: $(STAMP)  ## measure against Prosody and ejabberd (an hour; minutes with ARGS=--quick; needs gcc and libssl-dev)
	$(PY) -m bench $(ARGS)

lint: $(STAMP)  ## ruff and strict mypy
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

clean:  ## remove what was installed and built here
	rm -rf $(VENV) .venv-* build dist .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache
