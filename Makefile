# Each target sets itself up: the first one run creates .venv, later ones find it ready.
PYTHON ?= python3
INSTALLED = .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo book system docs pictures diagnoses test lint verify verify-deep bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## create .venv and install everything in it
	@echo "Ready: .venv"

$(INSTALLED): requirements.lock pyproject.toml install.py
	@$(PYTHON) install.py
	@touch $@

demo: $(INSTALLED) ## see one assignment at work on a made-up class
	@.venv/bin/autograder demo

book: $(INSTALLED) ## make the course as a site to read: build/book/html/index.html
	@.venv/bin/autograder book

# CI=true fixes the seed of the hidden examples; one thread each, or two processes on two cores would fight.
pictures test verify verify-deep: export CI := true
pictures test verify verify-deep: export OMP_NUM_THREADS := 1

# Chromium and PostgreSQL come from Debian, where this may be installed; without them their tests are skipped.
system:
	@missing=""; \
	 test -x /usr/bin/chromium || missing="$$missing chromium"; \
	 ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	 test -z "$$missing" && exit 0; \
	 if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	   echo "Installing for the tests:$$missing"; \
	   { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $$missing; } >/dev/null 2>&1 \
	     || echo "Cannot be installed here:$$missing; the tests that need them are skipped."; \
	 else echo "Not installed:$$missing; the tests that need them are skipped."; fi

# What tests one assignment takes its name; to collect all the others would take longer than to run these.
test: $(if $(NAME),,system) lint ## lint, build the hidden examples, run the tests; NAME=activations: of one assignment
	@.venv/bin/autograder build $(NAME)
	@.venv/bin/python -m pytest -n 2 $(if $(NAME),--assignment $(NAME) $$(grep -l assignment_name tests/test_*.py))

docs: $(INSTALLED) ## write the handbook's reference pages from the code
	@.venv/bin/python docs/generate.py

# The seed of the fixture course is fixed, as in the tests.
diagnoses: $(INSTALLED) ## write down what is said of every listed mistake: read the diff; NAME=activations: of one assignment
	@CI=true OMP_NUM_THREADS=1 .venv/bin/python -W ignore tests/said_of_mistakes.py $(NAME)

pictures: system $(INSTALLED) ## take the handbook's pictures anew, of a demo: some minutes
	@.venv/bin/python docs/pictures.py

lint: $(INSTALLED) ## check style and types
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy --strict autograder

verify: $(INSTALLED) ## prove that the checks accept the references and reject every known mistake; NAME=...
	@.venv/bin/autograder verify $(NAME)

verify-deep: $(INSTALLED) ## the same, and prove how strong they are where that is missing or stale; NAME=..., ALL=1
	@.venv/bin/autograder build $(NAME)
	@.venv/bin/autograder verify --deep $(if $(ALL),--all) $(NAME)

# Another grader to compare with, in an environment of its own; without it the bench leaves its columns out.
OTTER = build/bench/otter-venv
$(OTTER)/.installed: requirements.lock
	@test -x $(OTTER)/bin/python || echo "Creating $(OTTER) for otter-grader, once."
	@{ $(PYTHON) -m venv $(OTTER) \
	   && $(OTTER)/bin/python -m pip install -qq --disable-pip-version-check "$$(grep '^torch==' requirements.lock)" \
	   && $(OTTER)/bin/python -m pip install -qq --disable-pip-version-check otter-grader==7.0.0 ipykernel \
	      $$(grep -E '^(numpy|hypothesis|pytest|msgspec|nbformat|Jinja2)==' requirements.lock) \
	   && touch $@; } || echo "otter-grader cannot be installed here: its columns are left out."

bench: $(INSTALLED) $(OTTER)/.installed ## compare what grading costs with nbgrader and otter: a quarter of an hour
	@.venv/bin/python bench/run.py

clean: ## remove what can be made again, except .venv; private/ stays
	@rm -rf build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . \( -path ./.venv -o -path ./.git -o -path ./private \) -prune -o -type d \( -name __pycache__ -o -name .ipynb_checkpoints -o -name .hypothesis \) -prune -exec rm -rf {} +
