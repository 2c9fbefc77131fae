# Everything a contributor needs; each target makes its own environment in .venv.
# make demo [ARGS=--once]   make test [ARGS="-k sync"]   make check   make soak [ARGS="--seconds 600"]
# make bench [ARGS="--quick --only onechange"]   make bench-parts   make fuzz   make lock   make clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
PACKAGES := wbxml gateway tests
FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := help
.PHONY: help demo test check check-deploy format soak soak-nodes bench bench-parts fuzz lock clean packages

help:
	@sed -n 's/^# make/make/p' Makefile

$(STAMP): pyproject.toml requirements-dev.lock tests/support/make-venv.sh
	@PYTHON=$(PYTHON) sh tests/support/make-venv.sh $(VENV)
	@touch $@

demo: $(STAMP)
	@$(BIN)/activesync-gateway demo $(ARGS)

# The Debian packages whose programs the tests start.
packages:
	@sh tests/support/debian-packages.sh dovecot-imapd dovecot-sieve dovecot-managesieved libwbxml2-utils \
	    nginx haproxy apache2 caddy chromium fail2ban logrotate systemd postgresql pgbouncer

test: packages $(STAMP)
	@$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# What only other programs understand: Containerfiles, compose, Kubernetes.
check-deploy: $(STAMP)
	@$(BIN)/pip install --quiet --no-build-isolation --editable '.[deploy]'
	$(BIN)/hadolint --ignore DL3008 deploy/container/Containerfile deploy/container/trial/*/Containerfile
	$(BIN)/docker-compose -f deploy/container/compose.yaml config --quiet
	$(BIN)/kubernetes-validate --strict deploy/kubernetes/*.yaml

format: $(STAMP)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Phones, faults and a second mail program until the time is over; ends with 1 when anything is lost or doubled.
soak: packages $(STAMP)
	@$(BIN)/python -m tests.convergence.soak $(ARGS)

soak-nodes: packages $(STAMP)
	@$(BIN)/python -m tests.convergence.nodes $(ARGS)

# The gateway as phones meet it; its parts alone are measured by bench-parts.
bench: packages $(STAMP)
	@$(BIN)/python -m tests.bench $(ARGS)

bench-parts: packages $(STAMP)
	@for script in tests/bench/bench_*.py; do \
	    echo "== $$script"; \
	    $(BIN)/python -m tests.bench.$$(basename $$script .py) $(ARGS) || exit 1; \
	done

fuzz: $(STAMP)
	@$(BIN)/pip install --quiet --no-build-isolation --editable '.[fuzz]'
	@for target in tests/fuzz/fuzz_*.py; do \
	    echo "== $$target"; \
	    $(BIN)/python -m tests.fuzz.$$(basename $$target .py) -max_total_time=$(FUZZ_SECONDS) $(ARGS) || exit 1; \
	done

# Pins every package of the development environment, for all supported Pythons and platforms.
lock: $(STAMP)
	@$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" \
	    --extra dev --output-file requirements-dev.lock pyproject.toml

clean:
	rm -rf $(VENV) .servers build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find wbxml gateway tests -name __pycache__ -type d -prune -exec rm -rf {} +
