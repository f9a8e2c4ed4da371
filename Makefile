# Everything runs from .venv, which the first target that needs it makes. After that nothing asks the network.
# Needs Python 3.11 or newer (PYTHON=… names one) or uv.

.DEFAULT_GOAL := help
.PHONY: demo run test check bench help docs lock clean

BIN := .venv/bin
INSTALLED := .venv/.installed
LOCKED := uv.lock pyproject.toml $(wildcard shared/*/pyproject.toml services/*/pyproject.toml deploy/*/pyproject.toml)

# An environment that was moved, copied or half installed is as good as none.
ifneq ($(shell PYTHON='$(PYTHON)' sh deploy/install.sh check && echo usable),usable)
.PHONY: $(INSTALLED)
endif

$(INSTALLED): $(LOCKED) deploy/install.sh
	@sh deploy/install.sh

demo: $(INSTALLED) ## Show the whole product at work, with sample data (ONCE=1: play it through and stop; ORDERS=100: with fewer)
	@exec $(BIN)/crm-invoice demo $(if $(ONCE),--once) $(if $(ORDERS),--orders $(ORDERS))

run: $(INSTALLED) ## Start all four services (DATA_DIR, BASE_PORT, ADMIN_EMAIL, ADMIN_PASSWORD)
	@exec $(BIN)/crm-invoice run

test: $(INSTALLED) ## Run the tests (ARGS="-k invoice" or "-n0", REQUIRE_SERVERS=1: PostgreSQL and RabbitMQ may not be missing)
	@exec $(BIN)/pytest -n auto --maxprocesses 4 --dist worksteal $(ARGS)

check: $(INSTALLED) ## Check style, types, module boundaries and the API documents
	@status=0; table=; \
	try() { \
	  name=$$1; shift; printf '== %s\n' "$$name"; \
	  if "$$@"; then result='ok    '; else result=FAILED; status=1; fi; \
	  table="$$table  $$result  $$name\n"; \
	}; \
	try 'lint (ruff check)' $(BIN)/ruff check .; \
	try 'format (ruff format)' $(BIN)/ruff format --check .; \
	try 'types (mypy)' $(BIN)/mypy; \
	try 'boundaries (lint-imports)' $(BIN)/lint-imports; \
	try 'API documents (make docs)' $(BIN)/crm-invoice api-docs --check; \
	printf "\n$$table"; exit $$status

bench: $(INSTALLED) ## Measure (ARGS are handed on)
	@exec $(BIN)/python tests/bench/run.py $(ARGS)

docs: $(INSTALLED) ## Write docs/api and docs/workflow.md anew from the code
	@exec $(BIN)/crm-invoice api-docs

lock: ## Resolve the dependencies anew into uv.lock (asks the network)
	@sh deploy/install.sh lock

clean: ## Remove caches and build output; .venv and the data directory stay
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist
	@find shared services deploy tests -name __pycache__ -prune -exec rm -rf {} +

help: ## Show this
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' Makefile
