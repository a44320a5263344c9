# Two commands matter: `make demo` and `make test`. Both create what they need in .venv. `make android` builds, tests and
# packages the demo app; what it needs is in android_demo/README.md.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint android clean

demo: .venv/installed
	$(BIN)/tfcompress demo

test: .venv/installed-dev lint
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

android:
	mvn -B -ntp -f android_demo verify

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable . --constraint constraints.txt
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/pip install --quiet --editable '.[dev]' --constraint constraints.txt
	touch $@

clean:
	rm -rf .venv build dist *.egg-info demo_output android_demo/target
