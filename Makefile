# Every target builds its own .venv first; a fresh machine needs only Python (>= 3.11), make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO ?= demo
PYTEST_WORKERS ?= 2

.PHONY: demo test check format lint types contracts docs bench fuzz clean

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip -c constraints.txt
	$(BIN)/python -m pip install --quiet --editable '.[dev]' -c constraints.txt
	@touch $@

demo: $(STAMP)  ## the main job: a synthetic hospital becomes a released and audited dataset
	$(BIN)/quadphase demo $(DEMO) --workers 2

test: $(STAMP)  ## all tests
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist loadfile

check: lint types contracts test  ## what CI runs

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports

docs: $(STAMP)  ## pages made from code
	$(BIN)/python -m quadphase.model.catalogue.page > docs/reference/findings.md

bench: $(STAMP)  ## speeds as ratios to peers, measured in one run
	$(BIN)/python benchmarks

fuzz: $(STAMP)  ## 20,000 mutated DICOM files
	$(BIN)/python benchmarks/fuzz_convert.py --files 20000

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist demo
