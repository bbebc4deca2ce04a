# make demo    everything on this machine, with a simulated farm; Ctrl-C stops it (SPEED=60: an hour a minute)
# make test    lint, types, import contracts and all tests, against the real broker and Redis
# make help    the rest

PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench chaos lock programs containers compose-up compose-down clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(READY) ## run everything here with a simulated farm, until Ctrl-C (SPEED=60, SCENARIO=jam-at-noon)
	@$(BIN)/tidegate demo $(if $(SPEED),--speed $(SPEED)) $(if $(SCENARIO),--scenario $(SCENARIO))

test: $(READY) programs lint ## lint, and all tests against the real programs (PYTEST_ARGS='-k name' for some)
	$(BIN)/pytest $(PYTEST_ARGS)

lint: $(READY) ## style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY) programs ## measure; prints a table and writes build/bench.json
	$(BIN)/python -m benchmarks

chaos: $(READY) programs ## everything goes wrong for MINUTES=10, by SEED; prints a table and writes build/chaos.json
	$(BIN)/python -m tests.faults.nemesis --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

containers: $(READY) ## the tests of broker, Redis and compose.yaml on containers; needs Docker
	$(BIN)/pytest --backend=containers tests/integration tests/e2e/test_compose.py $(PYTEST_ARGS)

compose-up: ## the same system in containers, with the simulated farm
	docker compose --profile demo up --build --detach --wait

compose-down: ## stop those, and forget their data
	docker compose --profile demo down --volumes

lock: $(READY) ## renew constraints.txt from setup.cfg
	$(BIN)/pip install --quiet uv
	UV_INDEX_URL="$$($(BIN)/pip config get global.index-url 2>/dev/null)"; \
	  [ -z "$$UV_INDEX_URL" ] && unset UV_INDEX_URL || export UV_INDEX_URL; \
	  $(BIN)/uv pip compile setup.cfg --all-extras --universal --python-version 3.11 --upgrade --quiet \
	    --custom-compile-command 'make lock' --output-file constraints.txt

programs: # Mosquitto, Redis and mbpoll for the tests, where that needs no question
	@.ci/programs

$(READY): setup.cfg pyproject.toml constraints.txt
	@.ci/environment $(VENV) "$(PYTHON)"
	@touch $@

clean: ## remove the environment and everything that was built; .tidegate stays
	rm -rf $(VENV) build dist *.egg-info
