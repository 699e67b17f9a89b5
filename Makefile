# `make demo` and `make test` need Python 3.11 or newer and make; everything else they install into .venv.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: demo test test-slow test-all check lint types links docs wheel lock clean

demo: $(INSTALLED)  ## an answer within a minute, the paper's tables in ten
	$(BIN)/camerabias demo --run runs/demo

# two at a time; tests of one group (those that start Ray, those that share an audit) one after the other
TWO := -n 2 --dist loadgroup --durations=15

test: $(INSTALLED)  ## units, one run per path, the commands in the documents: eight minutes on two cores
	$(BIN)/python -m pytest $(TWO)

test-slow: $(INSTALLED)  ## a cluster, longer trainings, Monte Carlo: 25 minutes at most
	$(BIN)/python -m pytest $(TWO) -m slow

test-all: $(INSTALLED)  ## every test, and every fault of a cluster: half an hour more
	$(BIN)/python -m pytest $(TWO) -m ""

check: lint types test  ## what each commit must pass

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

# mypy and mkdocs find the package through links, since an editable install's import hook is nothing that they can read
links:
	mkdir -p build/types/camerabias
	for part in datasets trainables sweeps analysis; do ln -sfn "$(CURDIR)/$$part" build/types/camerabias/$$part; done
	ln -sfn "$(CURDIR)"/api/* build/types/camerabias/

types: $(INSTALLED) links
	MYPYPATH=build/types $(BIN)/mypy -p camerabias

# not --quiet, under which mkdocs counts no warning
docs: $(INSTALLED) links  ## the manual as a site, in build/site; fails at any warning
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

# one install for all targets: the locked dependencies, then the package itself. Compiled, as by pip: where
# PYTHONDONTWRITEBYTECODE is set, as in many images, every process would compile torch and Ray anew, for 15 seconds
$(INSTALLED): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.5"
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $(INSTALLED)

wheel: $(INSTALLED)  ## the package as one file in dist, for clusters and images
	rm -rf dist build/lib
	$(BIN)/uv build --quiet --wheel --out-dir dist

PIN := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header

lock:  ## pin every dependency anew, for every platform; and those of the core at the same versions
	$(PIN) --extra dev pyproject.toml --output-file requirements.lock
	$(PIN) --group core --constraints requirements.lock --output-file requirements-core.lock

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
