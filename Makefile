# Limner: `make run` starts it, `make test` tests it. Each makes .venv as needed, from python3, python3-venv and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
FUZZ_S ?= 60

.PHONY: run test style types city peak fuzz strangers bench chaos browser clean help

help:
	@echo "make run     start the daemon with a simulated Discord (ARGS='--port 9000' passes options)"
	@echo "make test    run every test (ARGS='tests/core -k name' runs some, ARGS='-n 0' one after another)"
	@echo "make style   check formatting and lint"
	@echo "make types   check types"
	@echo "make city    every actor against all that can go wrong: 2,000 seeds (CITY_SEEDS=N; CITY_SEED=N shows one)"
	@echo "make peak    300,000 drawings of 10,000 users in eight virtual hours (ARGS='--jobs 30000 --hours 0.8')"
	@echo "make fuzz    search for bytes that break a parser, a minute each (FUZZ_S=N; ARGS='gateway frame' takes some)"
	@echo "make strangers  hold the simulator before programs that are not ours: discord.py, hikari, discord.js, midjourney"
	@echo "make bench   measure"
	@echo "make chaos   kill the daemon 100 times under load, and then 100 times with the simulator (ARGS='--kills 20')"

run: $(VENV)/.run
	@$(BIN)/limner serve $(ARGS) || [ $$? -eq 130 ] # Ctrl-C is how one ends it

# Two workers, by lanes (tests/conftest.py): what starts real processes mostly waits.
test: $(VENV)/.test browser
	@$(BIN)/pytest --numprocesses 2 $(ARGS)

style: $(VENV)/.test
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(VENV)/.test
	@$(BIN)/mypy

city: $(VENV)/.test
	@$(BIN)/python -m tests.city

peak: $(VENV)/.test
	@$(BIN)/python -m tests.city.peak $(ARGS)

fuzz: $(VENV)/.fuzz
	@$(BIN)/python -m tests.fuzz --seconds $(FUZZ_S) $(ARGS)

strangers: $(VENV)/.strangers
	@$(BIN)/pytest tests/strangers $(ARGS)

bench: $(VENV)/.test
	@for name in loop_base store queue gateway reconnect sockets peak; do \
		echo "== bench.$$name"; $(BIN)/python -m "bench.$$name" || exit 1; \
	done

chaos: $(VENV)/.test
	@$(BIN)/python -m tests.chaos $(ARGS)
	@$(BIN)/python -m tests.chaos --sim-dies $(ARGS)

clean:
	rm -rf $(VENV) .fuzz .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info

# --- the environment: what a stamp stands for is there and fits setup.cfg

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is missing: apt-get install python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: $(PYTHON) is older than 3.11; name a newer one: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "make: the venv module is missing: apt-get install python3-venv" >&2; exit 1; }
	@echo "making $(VENV) …"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: setup.cfg pyproject.toml $(VENV)/.made
	@echo "installing Limner into $(VENV) …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.test: setup.cfg pyproject.toml $(VENV)/.made
	@echo "installing Limner and its test tools into $(VENV) …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[test]'
	@touch $(VENV)/.run $@

$(VENV)/.fuzz: $(VENV)/.test
	@echo "installing the fuzzer into $(VENV) …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[test,fuzz]'
	@touch $@

# Packages of Node's that take the simulator for Discord; their tests are skipped, and say so, where they are missing.
$(VENV)/.strangers: $(VENV)/.test
	@command -v npm >/dev/null || { echo "make: npm is missing: apt-get install nodejs npm" >&2; exit 1; }
	@npm install --silent --no-audit --no-fund --prefix $(VENV)/strangers discord.js@14.28 midjourney@4.3.18
	@touch $@

# The page's tests need Debian's chromium; without it they are skipped, and say so.
browser:
	@if command -v chromium >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing chromium for the page's tests (once) …"; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium; } \
			>/dev/null 2>&1 || echo "chromium could not be installed; the page's tests will be skipped" >&2; \
	else echo "chromium is missing; the page's tests will be skipped: apt-get install chromium"; fi
