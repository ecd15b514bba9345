# `make help` lists what can be done here.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8000
HOST ?= 127.0.0.1
VENV := .venv
SEMGREP_VENV := .venv-semgrep
BIN := $(VENV)/bin
XDIST ?= 2
SEMGREP := --metrics=off --disable-version-check

.DEFAULT_GOAL := help
.PHONY: help install install-dev run test unit lint types format journey bench-audit kill-rounds verify-log-foreign access-matrix requirements clean bench-plan bench-publication fuzz-api bench-events bench-decode bench-telemetry bench-clickhouse bench-windows bench-map

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

# A stamp per list of pins: pip runs again only when the list has changed.
$(VENV)/bin/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; name it: make run PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || { \
	  echo "No virtual environment could be made; on Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/installed: requirements.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt requirements.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/installed

# An environment of its own: semgrep pins much that the product needs newer.
$(SEMGREP_VENV)/installed: requirements-semgrep.txt
	@"$(PYTHON)" -m venv $(SEMGREP_VENV)
	$(SEMGREP_VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-semgrep.txt
	@touch $@

install: $(VENV)/installed ## make the virtual environment with what the product needs

install-dev: $(VENV)/installed-dev ## the same with what tests and linters need

run: install ## start everything with the demo mission; PORT=8001 for another port
	@exec $(BIN)/python manage.py run_mission_control --host $(HOST) --port $(PORT)

# Bytecode is kept here, whatever the shell says: each of the tests' many processes would compile
# the product anew, and each worker of pytest all tests.
test unit: export PYTHONDONTWRITEBYTECODE :=

test: install-dev ## run all tests, the integration tests on SQLite and on PostgreSQL
	@bash tests/provide_programs.sh
	$(BIN)/pytest -n $(XDIST)
	$(BIN)/python -m tests.postgresql tests/integration -n $(XDIST)

unit: install-dev ## run the fast tests only
	$(BIN)/pytest tests/unit -n $(XDIST)

lint: install-dev $(SEMGREP_VENV)/installed ## ruff, import contracts, types, system checks, security rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy missioncontrol telemetry uplink
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/bandit --quiet --recursive --severity-level medium missioncontrol telemetry uplink manage.py
	$(SEMGREP_VENV)/bin/semgrep scan $(SEMGREP) --test .ci/semgrep
	$(SEMGREP_VENV)/bin/semgrep scan $(SEMGREP) --error --quiet --config .ci/semgrep/rules.yml --exclude vendor missioncontrol telemetry uplink

format: install-dev ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

journey: install-dev ## headless: one job up, its result down, verified; prints JSON
	$(BIN)/python -m tests.journeys.job_journey

bench-decode: install-dev ## measure decoding, limits and channel coding (a minute); prints JSON
	$(BIN)/python -m tests.benchmarks.bench_decode

bench-audit: install-dev ## measure the consortium log (some minutes); prints JSON
	$(BIN)/python -m tests.benchmarks.bench_audit

bench-windows: install-dev ## measure contact windows against Skyfield and Orekit (some minutes); prints JSON
	$(BIN)/python -m tests.benchmarks.bench_windows

bench-map: install-dev ## measure what the page with the map costs, with 1 and 200 spacecraft; prints JSON
	$(BIN)/python -m tests.benchmarks.bench_map

kill-rounds: install-dev ## kill whoever writes to the log 50 times, on both databases (some minutes); prints JSON
	$(BIN)/python -m tests.integration.missioncontrol.audit.kill_rounds

bench-plan: install-dev ## measure pass planning: gaps proven, repair (seven minutes); prints JSON
	$(BIN)/python -m tests.benchmarks.bench_plan

bench-publication: install-dev ## measure a plan of 14,000 windows published, and a wish answered (two minutes); prints JSON
	$(BIN)/python -m tests.benchmarks.bench_publication

fuzz-api: install-dev ## attack the API by its own description (MINUTES=10); prints JSON
	$(BIN)/python -m tests.integration.missioncontrol.api.fuzz_api --minutes $(MINUTES)

bench-events: install-dev ## measure how soon events arrive (two minutes); prints JSON
	$(BIN)/python -m tests.benchmarks.bench_events

access-matrix: install-dev ## write anew who gets where (docs/security/access-matrix.csv); read the difference
	ACCESS_MATRIX=write $(BIN)/pytest tests/integration/access -q

bench-telemetry: install-dev ## measure telemetry from the socket to years of history (some 10 minutes; WITH_YAMCS=1: Yamcs too); prints JSON
	$(BIN)/python -m tests.benchmarks.bench_telemetry $(if $(WITH_YAMCS),--with-yamcs)

bench-clickhouse: install-dev ## measure columns in ClickHouse (chDB) against the archive's folder (a minute or two); prints JSON
	$(BIN)/python -m tests.benchmarks.bench_clickhouse

verify-log-foreign: install-dev ## let Go, aics-tlog and aics-witness judge a log of ours; prints JSON
	@bash tests/provide_programs.sh
	$(BIN)/python -m tests.integration.missioncontrol.client.verify_log_foreign

requirements: install-dev ## pin the direct dependencies anew, with hashes
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options requirements.in -o requirements.txt
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options requirements-dev.in -o requirements-dev.txt
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options requirements-semgrep.in -o requirements-semgrep.txt

clean: ## remove what tests and linters left; data in var/ stays
	rm -rf .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache
