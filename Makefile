# Needs Python >= 3.11 and nothing else. `make demo` shows what this is; `make test` checks all of it.

# The first Python that is new enough; `make PYTHON=/path/to/python3.12 ...` takes another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
# What is installed lies in VENV, what the demo writes in OUT: `make VENV=DIR OUT=DIR demo test` leaves the sources as they are, and they
# may be read-only.
VENV := .venv
OUT := demo-out
BIN := $(abspath $(VENV))/bin
export DEMO_OUT := $(abspath $(OUT))
# With VENV elsewhere, what tools keep for the next time lies there and not beside the sources.
KEPT := $(abspath $(VENV))/kept
ifeq ($(filter $(CURDIR)/%,$(KEPT)),)
export PYTHONPYCACHEPREFIX ?= $(KEPT)/bytecode
export NUMBA_CACHE_DIR ?= $(KEPT)/numba
export RUFF_CACHE_DIR ?= $(KEPT)/ruff
export MYPY_CACHE_DIR ?= $(KEPT)/mypy
export HYPOTHESIS_STORAGE_DIRECTORY ?= $(KEPT)/hypothesis
export PYTEST_ADDOPTS += -o cache_dir=$(KEPT)/pytest
endif
# Without a home that can be written, what tools keep there (wheels, fonts, Kafka's jars) does as well.
ifneq ($(shell test -d "$$HOME" && test -w "$$HOME" && echo usable),usable)
export HOME := $(KEPT)/home
endif
# What `make test` runs: `make TESTS=tests/kernels test` for some of it.
TESTS := tests
# -c: the very versions this was tested with. The build tools come from there too, hence no isolation.
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --constraint constraints.txt
# Python's own pip, as `venv` installs it, and what is named, but for their bytecode: to compile all of it takes longer than to use it.
UNPACK_PIP := import ensurepip, pathlib, subprocess, sys, sysconfig; \
	places = pathlib.Path(ensurepip.__file__).parent / "_bundled", pathlib.Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or "."); \
	wheel = next(str(found) for place in places for found in sorted(place.glob("pip-*.whl"))); \
	options = ["--quiet", "--no-compile", "--constraint", "constraints.txt"]; \
	sys.exit(subprocess.call([sys.executable, wheel + "/pip", "--disable-pip-version-check", "install", *options, wheel, *sys.argv[1:]]))

.PHONY: help demo demo-kafka kafka test spark chaos kills exhaustive combinations anomaly forecasting accuracy lint types docs clean lock
.DEFAULT_GOAL := help

help:  ## Show this list.
	@sed -n 's/^\([a-z-]*\):.*##/make \1\t/p' Makefile

demo: export PYTHONDONTWRITEBYTECODE :=
demo: $(VENV)/.demo  ## Watch a real stream: values, expectations, scores, alarms. Two minutes, no server.
	@$(BIN)/python examples/demo.py

demo-kafka: $(VENV)/.broker  ## The same from Kafka to Kafka, with a real broker and a kill in the middle. Two minutes, no Docker.
	@$(BIN)/python examples/kafka_demo.py

kafka: $(VENV)/.broker  ## Leave a throw-away Kafka running on localhost:9092.
	@$(BIN)/python -m streamrnn_kafka.broker

test: lint types  ## Style, types, and every test.
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal $(TESTS)

spark: $(VENV)/.spark  ## What runs inside Spark, with Spark itself, killed and resumed. Three minutes, and 450 MB to fetch.
	$(BIN)/python -m pytest tests/adapters/test_spark.py

chaos: $(VENV)/.dev  ## Three hundred kills against a Kafka of three nodes. Half an hour.
	$(BIN)/python tests/chaos/kafka_long.py

kills: $(VENV)/.dev  ## kill -9 at 100 moments of a file run, a Kafka run and one of PostgreSQL; every byte compared. Fifteen minutes.
	$(BIN)/python -m tests.chaos.kills

exhaustive: $(VENV)/.dev  ## A million records and ten million doubles, by compiled code and one by one; every bit compared. Half an hour.
	$(BIN)/python -m tests.exhaustive

combinations: $(VENV)/.dev  ## Every combination of a configuration on files, Kafka and PostgreSQL: check, run, restart, verify. Five minutes.
	STREAMRNN_COMBINATIONS=all $(BIN)/python -m pytest --numprocesses auto tests/combinations tests/connectors/kafka/test_kafka_combinations.py \
		tests/connectors/postgres/test_postgres_combinations.py

anomaly: $(VENV)/.dev  ## The table of anomalies, with controls. Five minutes; STREAMRNN_DATA names the folder of NAB and MGAB.
	$(BIN)/python benchmarks/anomaly/run.py

forecasting: $(VENV)/.benchmarks  ## The tables of forecasts, with controls. Twenty minutes; STREAMRNN_DATA names the folder of the data.
	cd benchmarks && $(BIN)/python -m forecasting

accuracy: $(VENV)/.dev  ## The table of regressors and classifiers, with river's. An hour; STREAMRNN_DATA names the folder of ETTh2 and NAB.
	cd benchmarks && $(BIN)/python -m accuracy

lint: $(VENV)/.dev  ## Style alone.
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.dev  ## Types alone.
	$(BIN)/mypy

# Not --quiet: it would hide the warnings from --strict as well.
docs: $(VENV)/.docs  ## Build the documentation into site/. Warnings are errors.
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "documentation: site/index.html"

clean:  ## Remove whatever was made here.
	rm -rf $(VENV) demo-out dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find streamrnn connectors tests examples -name __pycache__ -prune -exec rm -rf {} +

lock:  ## Take the newest versions that fit, and write them to constraints.txt.
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade --upgrade-strategy eager '.[dev,docs,spark]'
	@{ sed '/^[^#]/,$$d' constraints.txt; $(PIP) freeze --exclude streamrnn; } > constraints.new
	@mv constraints.new constraints.txt
	@touch $(VENV)/.demo $(VENV)/.dev $(VENV)/.docs

$(VENV)/.made: constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer (with venv) was not found. Install it, or: make PYTHON=/path/to/python3"; exit 69; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv --without-pip $(VENV)
	@$(BIN)/python -c '$(UNPACK_PIP)' hatchling editables 2>/dev/null || \
		{ $(BIN)/python -m ensurepip --default-pip >/dev/null && $(INSTALL) hatchling editables; }
	@mkdir -p $(KEPT)/home
	@touch $@

$(VENV)/.demo: $(VENV)/.made pyproject.toml
	@echo "Installing streamrnn into $(VENV) (the first run then compiles the net: some ten seconds) ..."
	@$(INSTALL) --no-compile --no-build-isolation --editable '.[plot]'  # Python compiles and keeps what is imported; all of it takes longer than the demo
	@touch $@

$(VENV)/.broker: $(VENV)/.made pyproject.toml
	@echo "Installing streamrnn and what a Kafka broker needs into $(VENV) ..."
	@$(INSTALL) --no-build-isolation --editable '.[plot,broker]'
	@touch $@ $(VENV)/.demo

$(VENV)/.dev: $(VENV)/.made pyproject.toml
	@echo "Installing streamrnn and what its tests need into $(VENV) ..."
	@$(INSTALL) --no-build-isolation --editable '.[dev]'
	@touch $@ $(VENV)/.demo $(VENV)/.broker

$(VENV)/.benchmarks: $(VENV)/.dev
	@echo "Installing what the forecaster is measured against into $(VENV) ..."
	@$(INSTALL) --no-build-isolation --editable '.[dev,benchmarks]'
	@touch $@

# PySpark is built from its sources, with setuptools, which newer Pythons no longer bring.
$(VENV)/.spark: $(VENV)/.dev
	@echo "Installing Spark into $(VENV) ..."
	@$(INSTALL) setuptools
	@$(INSTALL) --no-build-isolation --editable '.[dev,spark]'
	@touch $@

$(VENV)/.docs: $(VENV)/.made pyproject.toml
	@echo "Installing streamrnn and what builds its documentation into $(VENV) ..."
	@$(INSTALL) --no-build-isolation --editable '.[docs]'
	@touch $@
