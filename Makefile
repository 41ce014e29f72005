PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check clean

demo: .venv/.demo ## teach students from recorded answers and compare them: no key, no network
	$(BIN)/understudy run recipes/newswire-desk.yaml

test: .venv/.dev ## the whole offline suite
	$(BIN)/python -m pytest

check: .venv/.dev ## format, lint, types, floors
	scripts/check

clean: ## remove what make has made
	rm -rf .venv build

.venv/.demo: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[all]'
	touch $@

.venv/.dev: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@ .venv/.demo
