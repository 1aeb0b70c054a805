# Ketav: every command a person or a machine needs. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# The first Python that is new enough and not too new for torch.
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c '$(FITS)' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
# Addresses of package indexes belong to the machine, never to this file.
STAMP := $(VENV)/.installed

.PHONY: help install lock protos run demo test check up down bench learning-curve clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

install: $(STAMP) ## create .venv with everything in it

# The distributions of this repository: the services, the base model, and what only tests use.
PROJECTS := . basemodel tests/support

$(STAMP): requirements.lock $(PROJECTS:%=%/pyproject.toml)
	@test -n "$(PYTHON)" || { echo "Ketav needs Python 3.11, 3.12 or 3.13"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps $(PROJECTS:%=--editable %)
	@touch $@

lock: ## resolve the dependencies into requirements.lock; UPGRADE=1 takes the newest versions
	$(BIN)/uv pip compile $(PROJECTS:%=%/pyproject.toml) --all-extras --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-package ketav --quiet $(if $(UPGRADE),--upgrade) \
	  --output-file requirements.lock

protos: $(STAMP) ## generate the typed stubs of the contracts
	$(BIN)/python -m tools.generate_stubs

check: $(STAMP) ## format, lint, types, imports, contracts, budgets, containers' files
	$(BIN)/python -m tools.check

test: $(STAMP) ## every test that takes part in a change's review
	$(BIN)/python -m pytest

.PHONY: faults
# How often each kind of fault is injected; each may be set from outside, KETAV_FAULT_SEED too.
faults: export KETAV_FAULT_RUNS ?= 208
faults: export KETAV_FAULT_PAUSES ?= 100
faults: export KETAV_FAULT_RACES ?= 500
faults: export KETAV_FAULT_BAD_MODELS ?= 200
faults: export KETAV_FAULT_QUEUES ?= 10
faults: export KETAV_FAULT_STOPS ?= 10
faults: export KETAV_FAULT_PAIRS ?= 10
faults: $(STAMP) ## kill, stop and corrupt a running system some hundred times and count what happened
	$(BIN)/python -m pytest --timeout 1200 -o python_files="test_*.py long.py" tests/faults

run: $(STAMP) ## start the whole system on this machine (KETAV_PORT=8000, KETAV_DATA_DIR=.ketav)
	@exec $(BIN)/python -m ketav_local

demo: $(STAMP) ## start, read a page, correct a line, read the project back, stop
	@exec $(BIN)/python -m ketav_local.demo

bench: $(STAMP) ## cost of gateway and gRPC over calling the engine directly, as a ratio
	@exec $(BIN)/python -m bench.overhead

learning-curve: $(STAMP) ## corrections through REST, trainings, and what is read then (QUICK=1 for 16 and 64 lines)
	@exec $(BIN)/python -m bench.learning_curve $(if $(QUICK),--quick)

COMPOSE ?= docker compose

.env:
	@$(PYTHON) deploy/docker/write_env.py $@

up: .env ## the system as containers: build, migrate, start, wait until healthy
	$(COMPOSE) up --detach --build --wait

down: ## stop the containers; the volumes with all data stay
	$(COMPOSE) down

# Making the base model: fonts and texts go to KETAV_BASEMODEL_DATA, real handwriting comes from KETAV_BENCH_DATA.
.PHONY: basemodel-data basemodel validate ablations evaluate

basemodel-data: $(STAMP) ## fetch fonts and texts for the synthetic lines (needs npm and apt-get)
	$(BIN)/python -m ketav_basemodel fetch

WORK = $(or $(KETAV_BASEMODEL_WORK),var/basemodel)

# Three legs, each on lines of its own; the last one with the writers that the first two held out.
LEG = OMP_NUM_THREADS=1 KETAV_BASEMODEL_WORK=$(WORK)
BUILD = $(BIN)/python -m ketav_basemodel build

basemodel: $(STAMP) ## train hebrew_base from the start or from its last checkpoint
	$(LEG) $(BUILD) --lines 190000
	$(LEG)/onward $(BUILD) --lines 54000 --first 124 --seed 2 --rate 1e-3 --start $(WORK)/base.safetensors
	$(LEG)/everyone $(BUILD) --lines 140000 --first 160 --seed 3 --rate 1e-3 --everyone \
	  --start $(WORK)/onward/base.safetensors
	$(BIN)/python -m ketav_basemodel release --model $(WORK)/everyone/base.safetensors \
	  --judged $(WORK)/onward/base.safetensors

validate: $(STAMP) ## CER on synthetic lines of held-out writers and texts, per kind of writer
	OMP_NUM_THREADS=1 $(BIN)/python -m ketav_basemodel validate

ablations: $(STAMP) ## short trainings that differ in one thing each, compared by held-out writers
	OMP_NUM_THREADS=1 $(BIN)/python -m ketav_basemodel ablate

evaluate: $(STAMP) ## CER, WER, confidences and pictures on real hands, per folder of KETAV_BENCH_DATA
	OMP_NUM_THREADS=1 $(BIN)/python -m ketav_basemodel evaluate --pictures docs/reports
