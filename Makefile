# Everything a bare Debian machine with Python 3.11 needs: `make demo` and `make test` set up what they use.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
RESEARCH := .venv-research
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Containers: another PROJECT is another desk, with volumes of its own.
PROJECT ?= trading-ops
up down health logs: export COMPOSE = $(if $(shell docker compose version 2>/dev/null),docker compose,docker-compose) \
	--project-name $(PROJECT) --file docker/compose.yml
up: export CODE_COMMIT = $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
up: export CODE_DIRTY = $(if $(shell git status --porcelain --untracked-files=all 2>&1),true,false)
export PYTHONHASHSEED ?= 0
export TRADING_OPS_HOME ?= $(CURDIR)/.home

.PHONY: help setup research demo drill test lint format types contracts bench faults dev up down health logs lock clean

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' \
		|| { echo "Python 3.11 or 3.12 is needed; PYTHON=python3.11 make … names another one."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
		|| { echo "python3 -m venv failed. On Debian: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }
	@echo "Installing the locked packages into $(VENV) (a few minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

$(RESEARCH)/.ready: requirements-research.lock
	@test -x $(RESEARCH)/bin/python || $(PYTHON) -m venv $(RESEARCH) || { rm -rf $(RESEARCH); exit 1; }
	@echo "Installing Qlib's packages into $(RESEARCH) (a few minutes the first time)"
	@$(RESEARCH)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-research.lock
	@touch $@

setup: $(READY)  ## the virtual environment in .venv

research: $(RESEARCH)/.ready  ## Qlib's own environment in .venv-research: nothing of the desk needs it

demo: $(READY)  ## set up, load a market, live through four weeks: make demo [DATA=../shared/market]
	@$(BIN)/trading-ops demo $(if $(DATA),--data $(DATA))

drill: $(READY)  ## every kind of outage of a source, against the real clients, on this machine alone
	@$(BIN)/trading-ops drill

test: $(READY)  ## every test but the slow campaigns
	@$(BIN)/python -m pytest -n 2 -m "not bench and not faults"

lint: $(READY)  ## format, lint, types and the imports between the rooms
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(READY)  ## write what lint can mend by itself
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY) $(RESEARCH)/.ready  ## speed figures on the real prices of ../shared/market
	@$(BIN)/python -m trading_ops_tests.bench

faults: $(READY)  ## the slow campaigns: kills at every boundary
	@$(BIN)/python -m pytest -m faults

dev: $(READY)  ## Dagster UI and daemon on 127.0.0.1:3000: make dev [EVERY=5] ticks every 5 minutes
	@$(BIN)/trading-ops dev $(if $(EVERY),--every $(EVERY))

up:  ## the desk in containers; docker/README.md
	@$(COMPOSE) build secrets
	@$(COMPOSE) up -d --remove-orphans
	@echo "Waiting until every service is well"
	@docker/health.sh --wait 300

down:  ## stop the containers; data, database and secrets stay
	@$(COMPOSE) down

health:  ## is every service well? names each that is not
	@docker/health.sh

logs:  ## what the containers said last: make logs [SERVICE=code] [FOLLOW=1]
	@$(COMPOSE) logs --tail=200 $(if $(FOLLOW),--follow) $(SERVICE)

lock: $(READY)  ## pin every package with its hashes
	@command -v uv >/dev/null || { echo "uv is needed to write the locks: pip install uv"; exit 1; }
	uv pip compile --quiet --generate-hashes --no-strip-extras --no-emit-index-url --no-header --python-version 3.11 \
		--extra dev pyproject.toml -o requirements.lock
	uv pip compile --quiet --generate-hashes --no-strip-extras --no-emit-index-url --no-header --python-version 3.11 \
		--extra research pyproject.toml -o requirements-research.lock

clean:  ## remove the environment and the demo's homes
	rm -rf $(VENV) $(RESEARCH) .demo
