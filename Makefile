# make demo    everything on this machine, with a simulated farm; Ctrl-C stops it (SPEED=60: an hour a minute)
# make test    lint, types, import contracts and all tests, against the real broker and Redis
# make help    the rest

PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
PYTEST_ARGS ?=
UPGRADE ?= --upgrade

.DEFAULT_GOAL := help
.PHONY: help demo test lint console console-check console-types console-pictures bench chaos lock audit sbom programs \
  containers compose-up compose-down clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(READY) ## run everything here with a simulated farm, until Ctrl-C (SPEED=60, SCENARIO=jam-at-noon)
	@$(MAKE) --no-print-directory console || echo "without the web console, then; everything else works" >&2
	@$(BIN)/tidegate demo $(if $(SPEED),--speed $(SPEED)) $(if $(SCENARIO),--scenario $(SCENARIO))

test: $(READY) programs lint console-check console ## lint, and all tests against the real programs (PYTEST_ARGS='-k name' for some)
	$(BIN)/pytest $(PYTEST_ARGS)

lint: $(READY) ## style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

CONSOLE := http_facade/console
CONSOLE_SOURCES := $(shell find $(CONSOLE) -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
console: $(CONSOLE)/dist/index.html ## build the web console, if its sources changed; uses Node, or fetches one

$(CONSOLE)/dist/index.html: .ci/console $(CONSOLE_SOURCES)
	@.ci/console build

console-check: $(READY) ## types, style and tests of the web console, and whether its types are those of the API
	@$(BIN)/python -m tests.openapi_document build/console/openapi.json
	@.ci/console check

console-types: $(READY) ## renew src/api/schema.ts from the API's own document
	@$(BIN)/python -m tests.openapi_document build/console/openapi.json
	@.ci/console types

bench: $(READY) programs ## measure; prints a table and writes build/bench.json
	$(BIN)/python -m benchmarks

console-pictures: $(READY) programs console ## renew the pictures of docs/console.md, by the browser tests
	$(BIN)/pytest -q tests/e2e/console
	@for picture in $$(grep -o 'console/[a-z0-9-]*\.png' docs/console.md); do \
	  mkdir -p docs/console && cp "build/console/screenshots/$${picture#console/}" docs/console/; done

chaos: $(READY) programs ## everything goes wrong for MINUTES=10, by SEED; prints a table and writes build/chaos.json
	$(BIN)/python -m tests.faults.nemesis --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

containers: $(READY) console ## the tests of broker, Redis and compose.yaml on containers; needs Docker
	$(BIN)/pytest --backend=containers tests/integration tests/e2e/test_compose.py $(PYTEST_ARGS)

compose-up: console ## the same system in containers, with the simulated farm
	docker compose --profile demo up --build --detach --wait

compose-down: ## stop those, and forget their data
	docker compose --profile demo down --volumes

LOCK = $(BIN)/uv pip compile setup.cfg --universal --python-version 3.11 --quiet --custom-compile-command 'make lock'
PIP_INSTALL = -m pip install -qq --disable-pip-version-check
lock: $(READY) ## renew constraints.txt, and locks/ with hashes, from setup.cfg (UPGRADE=: keep the versions)
	$(BIN)/pip install --quiet uv
	UV_INDEX_URL="$$($(BIN)/pip config get global.index-url 2>/dev/null)"; \
	  [ -z "$$UV_INDEX_URL" ] && unset UV_INDEX_URL || export UV_INDEX_URL; \
	  $(LOCK) --all-extras $(UPGRADE) --output-file constraints.txt && \
	  for lock in development:dev runtime:all supply:supply node:node; do \
	    $(LOCK) --extra $${lock#*:} --constraint constraints.txt --generate-hashes \
	      --output-file locks/$${lock%:*}.txt || exit 1; \
	  done

build/supply/ready: $(READY) locks/supply.txt
	$(BIN)/python -m venv --clear build/supply
	build/supply/bin/python $(PIP_INSTALL) --require-hashes -r locks/supply.txt
	@touch $@

audit: build/supply/ready ## look for known vulnerabilities of what is locked; asks a public database
	build/supply/bin/pip-audit --requirement locks/development.txt --require-hashes --disable-pip --strict

sbom: build/supply/ready console ## build the wheel, and write what it runs with to build/tidegate.cdx.json (CycloneDX)
	rm -rf build/wheel && $(BIN)/python -m build --outdir build/wheel .
	$(BIN)/python -m venv --clear build/wheel/venv
	build/wheel/venv/bin/python $(PIP_INSTALL) --require-hashes -r locks/runtime.txt
	build/wheel/venv/bin/python $(PIP_INSTALL) --no-deps build/wheel/*.whl
	build/wheel/venv/bin/python -m pip uninstall -qq --yes setuptools pip
	build/supply/bin/cyclonedx-py environment --output-reproducible --output-format JSON \
	  --output-file build/tidegate.cdx.json build/wheel/venv/bin/python

programs: # Mosquitto, Redis and mbpoll for the tests, where that needs no question
	@.ci/programs

$(READY): setup.cfg pyproject.toml locks/development.txt
	@.ci/environment $(VENV) "$(PYTHON)"
	@touch $@

clean: ## remove the environment and everything that was built; .tidegate stays
	rm -rf $(VENV) build dist *.egg-info $(CONSOLE)/dist $(CONSOLE)/node_modules
