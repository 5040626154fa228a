# Two commands for a newcomer: `make demo` and `make test`. Each does its own set-up in .venv with stock pip (uv when present).
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
# A server on which the tests may make and drop a database of their own.
TEST_POSTGRESQL ?= postgresql://postgres@127.0.0.1:5432/postgres
BIN := $(VENV)/bin
# pip of the outer Python installs into the environment, so that systems without ensurepip work too.
INSTALL := $(shell if command -v uv >/dev/null 2>&1; then echo "uv pip install -q --python $(BIN)/python"; \
	else echo "$(PYTHON) -m pip --disable-pip-version-check --python $(BIN)/python install -q"; fi)

.PHONY: demo test css check setup bench bench-accuracy bench-simulated bench-cash bench-speed bench-metrics bench-evaluate bench-world bench-plan bench-learned prior example screenshots lock serve clean help

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

demo: $(VENV)/.run-ready ## set up, run the main job on the bundled example export, print where the report is
	$(BIN)/duecourse doctor
	$(BIN)/duecourse run examples/export.csv --out out/demo --force

test: $(VENV)/.dev-ready ## set up and run the whole test suite
	$(BIN)/python -m pytest -n 2
	@if $(BIN)/python -c "import psycopg; psycopg.connect('$(TEST_POSTGRESQL)', connect_timeout=2)" 2>/dev/null; \
	then DUECOURSE_TEST_DATABASE_URL='$(TEST_POSTGRESQL)' $(BIN)/python -m pytest -n 2 tests/app; \
	else echo "SKIPPED: no PostgreSQL at $(TEST_POSTGRESQL): the application was tested on SQLite only"; fi

check: $(VENV)/.dev-ready ## lint, types, the staircase, house rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/house_rules.py
	$(BIN)/python tools/css.py --check

css: ## build the style sheet of the web application (needs Node.js)
	mkdir -p .cache/css && cp tools/css/package.json tools/css/package-lock.json .cache/css/
	cd .cache/css && npm install --ignore-scripts --no-audit --no-fund
	$(BIN)/python tools/css.py

setup: $(VENV)/.dev-ready ## everything a contributor needs

bench: bench-accuracy bench-simulated bench-cash bench-speed bench-metrics bench-evaluate bench-plan bench-world bench-learned ## regenerate every table in benchmarks/results

bench-accuracy: $(VENV)/.dev-ready ## model against all baselines on the real sets (skips loudly without ../shared/data)
	$(BIN)/python benchmarks/accuracy.py

bench-simulated: $(VENV)/.dev-ready ## model against the oracle of a simulated world
	$(BIN)/python benchmarks/simulated.py

bench-world: $(VENV)/.dev-ready ## the world in which contacts matter: what is attainable, and its calibration
	$(BIN)/python benchmarks/living_world.py

bench-cash: $(VENV)/.dev-ready ## cash forecasts against what came, with all simple methods (skips loudly without ../shared/data)
	$(BIN)/python benchmarks/cash.py

bench-speed: $(VENV)/.dev-ready ## time and memory against the goals, pandas and the physical floor
	$(BIN)/python benchmarks/speed.py

bench-forecast-speed: $(VENV)/.dev-ready ## time and memory of the cash forecast beside the naive matrix
	$(BIN)/python benchmarks/forecast_speed.py

bench-metrics: $(VENV)/.dev-ready ## every measure against its SQL oracle on 1,000 random ledgers (about ten minutes)
	$(BIN)/python benchmarks/metrics.py

bench-evaluate: $(VENV)/.dev-ready ## would another policy have done better, on known truths (about ten minutes)
	$(BIN)/python benchmarks/evaluate.py

bench-plan: $(VENV)/.dev-ready ## the learned plan: allocation against the linear programme, speed, propensity audit
	$(BIN)/python benchmarks/plan.py

bench-learned: $(VENV)/.dev-ready ## the learned policy in living worlds, against the ladder and the belief oracle (long)
	$(BIN)/python benchmarks/learned.py

prior: $(VENV)/.dev-ready ## learn the shipped prior again on simulated companies (about five minutes)
	$(BIN)/python benchmarks/learn_prior.py

example: $(VENV)/.dev-ready ## regenerate the bundled example export
	$(BIN)/python tools/make_example.py

screenshots: $(VENV)/.dev-ready ## regenerate docs/images in headless Chromium
	$(BIN)/python tools/screenshots.py

lock: ## refresh the hash-locked requirements (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml -o requirements/run.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml --extra app -o requirements/app.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml --extra app --group dev -o requirements/dev.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --group build -o requirements/build.lock

serve: $(VENV)/.app-ready ## set up and serve the web application on http://127.0.0.1:8000
	$(BIN)/duecourse serve

clean: ## remove the environment, caches and results
	rm -rf $(VENV) out .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; call make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/.run-ready: requirements/run.lock requirements/build.lock pyproject.toml | $(BIN)/python
	$(INSTALL) --require-hashes -r requirements/run.lock -r requirements/build.lock
	$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.app-ready: requirements/app.lock $(VENV)/.run-ready
	$(INSTALL) --require-hashes -r requirements/app.lock
	@touch $@

$(VENV)/.dev-ready: requirements/dev.lock $(VENV)/.run-ready
	$(INSTALL) --require-hashes -r requirements/dev.lock
	@touch $@
