# The commands of Ketav. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# The first Python that is new enough and not too new for torch.
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c '$(FITS)' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
# Addresses of package indexes belong to the machine and are not in this file.
# TORCH=cpu installs a torch without CUDA from torch's own index, or from TORCH_INDEX=URL; .venv remembers the choice.
TORCH ?= $(shell cat $(VENV)/.torch 2>/dev/null)
STAMP := $(VENV)/.installed$(TORCH:%=-%)

.PHONY: help install lock protos run demo test check up down containers containers-short bench learning-curve effort harmful-corrections user-words clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

install: $(STAMP) ## create .venv with everything in it (TORCH=cpu: without CUDA)

# The distributions of this repository: the services, the client, the base model, and the test support.
PROJECTS := . client basemodel tests/support

$(STAMP): requirements.lock $(PROJECTS:%=%/pyproject.toml)
	@test -n "$(PYTHON)" || { echo "Ketav needs Python 3.11, 3.12 or 3.13. Install one and run make again."; exit 1; }
	@test -x $(BIN)/python || { echo "Creating $(VENV) with $$($(PYTHON) --version) …"; $(PYTHON) -m venv $(VENV); }
	@test -x $(BIN)/uv || { echo "Installing uv …"; $(BIN)/python -m pip install --quiet uv; }
ifeq ($(TORCH),cpu)
	@echo "Installing the packages of requirements.lock without CUDA; uv shows the progress …"
	$(BIN)/python tools/cpu_lock.py requirements.lock $(VENV)/locked.txt $(VENV)/torch.txt
	$(BIN)/uv pip sync --python $(BIN)/python $(VENV)/locked.txt
	$(BIN)/uv pip install --python $(BIN)/python --no-deps --requirement $(VENV)/torch.txt \
	  $(if $(TORCH_INDEX),--index "$(TORCH_INDEX)",--torch-backend cpu)
else
	@echo "Installing the packages of requirements.lock: up to 3.3 GB to download, 6.6 GB on disk; uv shows the progress …"
	$(BIN)/uv pip sync --python $(BIN)/python requirements.lock
endif
	$(BIN)/uv pip install --python $(BIN)/python --no-deps $(PROJECTS:%=--editable %)
	@rm -f $(VENV)/.installed* && echo "$(TORCH)" > $(VENV)/.torch
	@touch $@

lock: ## resolve the dependencies into requirements.lock; UPGRADE=1 takes the newest versions
	$(BIN)/uv pip compile $(PROJECTS:%=%/pyproject.toml) --all-extras --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-package ketav --no-emit-package ketav-client --quiet $(if $(UPGRADE),--upgrade) \
	  --output-file requirements.lock

protos: $(STAMP) ## generate the typed stubs of the contracts
	$(BIN)/python -m tools.generate_stubs

.PHONY: web
web: $(STAMP) ## build the correction page from web/ into the gateway (needs the npm registry; node comes from a wheel)
	$(BIN)/python -m tools.web

.PHONY: sbom
sbom: $(STAMP) ## list all packages of the services and the page with their licences (CycloneDX, var/sbom)
	$(BIN)/python -m tools.sbom

.PHONY: docs
docs: $(STAMP) ## build the documents as a site into var/docs
	$(BIN)/python -m tools.docs_site

check: $(STAMP) ## run every static check: format, lint, types, imports, contracts, language, documents
	$(BIN)/python -m tools.check

# The files of the tests are shared out to so many processes, each with servers of its own: in the order of the folders,
# because by default files with few tests come last, which are the slow ones.
TEST_PROCESSES ?= 2

test: $(STAMP) ## run all tests on real PostgreSQL, Valkey, S3 and Kraken
	$(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

.PHONY: faults
# How often each kind of fault is injected; the environment may set each, and KETAV_FAULT_SEED.
faults: export KETAV_FAULT_RUNS ?= 208
faults: export KETAV_FAULT_PAUSES ?= 100
faults: export KETAV_FAULT_RACES ?= 500
faults: export KETAV_FAULT_BAD_MODELS ?= 200
faults: export KETAV_FAULT_QUEUES ?= 10
faults: export KETAV_FAULT_STOPS ?= 10
faults: export KETAV_FAULT_PAIRS ?= 10
faults: $(STAMP) ## inject some hundred faults into a running system and count the results
	$(BIN)/python -m pytest --timeout 1200 -o python_files="test_*.py long.py" tests/faults
	KETAV_UPGRADES=2 $(BIN)/python -m pytest tests/integration/test_registry_upgrade.py

.PHONY: faults-load
# KETAV_FAULT_LOAD is the number of acknowledged operations for each fault.
faults-load: $(STAMP) ## inject faults while 20 users upload and correct, 2,000 operations each (var/faults-load.md)
	$(BIN)/python -m pytest --timeout 900 -o python_files=load.py tests/faults

.PHONY: real-engine
real-engine: $(STAMP) ## teach and read with Kraken's networks, also on the page in a browser (minutes)
	$(BIN)/python -m pytest --timeout 1800 -o python_files=real_engine.py tests/integration tests/e2e

run: $(STAMP) ## start the system on this machine (KETAV_PORT=8000, KETAV_DATA_DIR=.ketav)
	@exec $(BIN)/python -m ketav_local

demo: $(STAMP) ## start a temporary system, read and correct pages, train, show what it learned (QUICK=1: no training)
	@exec $(BIN)/python -m ketav_local.demo $(if $(QUICK),--quick,--picture var/demo.png)

bench: $(STAMP) ## compare reading through REST and gRPC with calling the engine directly
	@exec $(BIN)/python -m bench.overhead

learning-curve: $(STAMP) ## measure CER by corrected lines, through REST (QUICK=1: 16 and 64 lines)
	@exec $(BIN)/python -m bench.learning_curve $(if $(QUICK),--quick)

effort: $(STAMP) ## simulate the corrections of the first 20 pages of a hand (QUICK=1: six pages), resumable
	@OMP_NUM_THREADS=1 $(BIN)/python -m bench.effort $(if $(QUICK),--quick)

harmful-corrections: $(STAMP) ## count the trainings on harmful corrections that are promoted, resumable
	@OMP_NUM_THREADS=1 $(BIN)/python -m bench.harmful_corrections

user-words: $(STAMP) ## measure what the words of a user's corrected lines save, resumable
	@OMP_NUM_THREADS=1 $(BIN)/python -m bench.user_words

COMPOSE ?= docker compose

.PHONY: env
env:
	@$(PYTHON) deploy/docker/write_env.py .env

up: env ## build and start the system as containers, wait until it is healthy
	$(COMPOSE) up --detach --build --wait

down: ## stop the containers; the volumes with all data stay
	$(COMPOSE) down

# Both need root, and Debian's packages for Podman, which they install. `var/containers` keeps images for the next time.
CONTAINER_TESTS = $(BIN)/python -m pytest --timeout 3600

containers: $(STAMP) ## build all images and test them: journey, scaling, kills, rolling restart
	$(CONTAINER_TESTS) -o python_files="journey.py managed.py" tests/containers

containers-short: $(STAMP) ## build two images, check the health of all services, read one page
	$(CONTAINER_TESTS) -o python_files=short.py tests/containers

# Making the base model: fonts and texts go to KETAV_BASEMODEL_DATA, real handwriting comes from KETAV_BENCH_DATA.
.PHONY: basemodel-data basemodel validate ablations evaluate

basemodel-data: $(STAMP) ## fetch fonts and texts for the synthetic lines (needs npm and apt-get)
	$(BIN)/python -m ketav_basemodel fetch

WORK = $(or $(KETAV_BASEMODEL_WORK),var/basemodel)

# Four stages, each on new lines; the last one also with the held-out writers.
STAGE = OMP_NUM_THREADS=1 KETAV_BASEMODEL_WORK=$(WORK)
BUILD = $(BIN)/python -m ketav_basemodel build

basemodel: $(STAMP) ## train hebrew_base, from the last checkpoint if there is one
	$(STAGE) $(BUILD) --lines 190000
	$(STAGE)/stage-2 $(BUILD) --lines 54000 --first 124 --seed 2 --rate 1e-3 --start $(WORK)/base.safetensors
	$(STAGE)/stage-3 $(BUILD) --lines 320000 --first 400 --seed 11 --start $(WORK)/stage-2/base.safetensors
	$(STAGE)/stage-4 $(BUILD) --lines 450000 --first 800 --seed 12 --all-writers \
	  --start $(WORK)/stage-3/base.safetensors
	$(BIN)/python -m ketav_basemodel release --model $(WORK)/stage-4/base.safetensors \
	  --calibrated-by $(WORK)/stage-3/base.safetensors

validate: $(STAMP) ## measure CER on synthetic lines of held-out writers and texts
	OMP_NUM_THREADS=1 $(BIN)/python -m ketav_basemodel validate

ablations: $(STAMP) ## compare short trainings that differ in one setting
	OMP_NUM_THREADS=1 $(BIN)/python -m ketav_basemodel ablate

evaluate: $(STAMP) ## measure CER, WER and confidences on the folders of KETAV_BENCH_DATA
	OMP_NUM_THREADS=1 $(BIN)/python -m ketav_basemodel evaluate --pictures docs/reports
