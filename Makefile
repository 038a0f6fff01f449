# Targets for people; posediff/installation knows what is installed and in which order.
VENV ?= .venv
PYTHON ?= python3
ARGS ?=
RUN = $(VENV)/bin/python

.PHONY: help setup setup-core setup-demo demo test lint wheel clean distclean
.DEFAULT_GOAL := help

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'
	@echo '  VENV=path puts the environment elsewhere than .venv, PYTHON=python3.x makes it from another Python.'

setup: ## build .venv with everything (about 7 min the first time, 2 with MMCV in pip's cache)
	@$(PYTHON) tools/setup_env.py --venv "$(VENV)"

setup-core: ## build .venv with what lifting needs (2 min the first time)
	@$(PYTHON) tools/setup_env.py --venv "$(VENV)" --core

setup-demo: ## build .venv with what the demo needs (3 min the first time)
	@$(PYTHON) tools/setup_env.py --venv "$(VENV)" --demo

demo: setup-demo ## from a real clip to the people in it in 3D, into out/demo
	$(RUN) tools/demo.py $(ARGS)

# Tests of a file run in one process; files start in the order of their names, so that those of tests/cli, which take
# longest, start early. ARGS='-n 0' and ARGS='-x --pdb' use one process.
test: setup ## run the tests, one process for each core (ARGS='-m slow' for the slow ones)
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(RUN) -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: setup ## check style, types and which folder imports which
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports

wheel: setup-core ## build the wheel, into dist
	$(RUN) -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

clean: ## remove what tools left: caches, builds, out
	rm -rf out build dist *.egg-info plugins/*/build plugins/*/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name .venv* -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## remove the environment too
	rm -rf "$(VENV)"
