# Two commands: `make demo` and `make test`. Both set up what they need; `make setup` stops before running.
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-interop test-commands test-sanitized check format bench baseline parity-full docs-pictures lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile | awk -F ':.*## ' '{ printf "  make %-15s %s\n", $$1, $$2 }'

setup: ## system packages, .venv, the compiled checker, the robot's meshes; quick the second time
	@bash scripts/setup.sh

demo: setup ## the expert and keypoint in both simulators, compared; pictures, a video, a page in runs/demo/
	.venv/bin/bomb demo

test: setup ## the tests, on every core; ARGS="tests/bomb -k cli" runs a part
	@bash scripts/test.sh $(ARGS)

test-interop: setup ## the installed wheel from outside of the checkout, foreign readers and runners
	@bash scripts/test_interop.sh

test-commands: setup ## every command of README and docs as it stands, with small numbers; half an hour
	@.venv/bin/python -m pytest -q -m commands tests/interop/test_doc_shell.py --durations=0

test-sanitized: setup ## the checker under the address and undefined-behaviour sanitizers
	@bash scripts/test_sanitized.sh

check: setup ## format, lint, types and import rules; under a minute
	@bash scripts/check.sh

format: setup ## rewrites the sources in the one format
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: setup ## every benchmark; JSON in runs/bench/
	@bash scripts/bench.sh

parity-full: setup ## the parity table at the sizes that docs/parity.md names; four minutes on idle cores
	.venv/bin/bomb parity --episodes 1000 --seed 0 --json runs/parity/parity.json

baseline: setup ## rebuilds the policies `keypoint` and `small-vla` from nothing; two hours of processor time; needs torch
	@bash scripts/baseline.sh

docs-pictures: setup ## renders docs/pictures/ anew
	.venv/bin/python -m scripts.docs_pictures

lock: ## writes requirements.lock from what .venv holds
	.venv/bin/python -m scripts.write_lock

clean: ## removes what is built or run; keeps .venv
	rm -rf build runs *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
