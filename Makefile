SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup system demo test check test-engine test-qgis bench package clean

ENGINE := .venv/engine
QGIS := .venv/qgis
LINK := .venv/src/auxlens
READY := $(ENGINE)/.complete $(QGIS)/.complete $(LINK)
PYTEST_QGIS := AUXLENS_PYTHON="$(CURDIR)/$(ENGINE)/bin/python" QT_QPA_PLATFORM=offscreen $(QGIS)/bin/python -m pytest -q

help: ## say what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: $(READY) ## install QGIS where it is missing, make both environments
	@echo "Set up: $(ENGINE) (engine, isolated), $(QGIS) (QGIS's own Python)."

system:
	@scripts/setup system

# Isolated: the engine never sees QGIS's packages.
$(ENGINE)/.complete: requirements/engine.lock requirements/dev.txt pyproject.toml setup.py metadata.txt | system
	@scripts/setup engine $(ENGINE)
	@touch $@

# The distribution's own Python with its packages: the only one that can import its qgis.
$(QGIS)/.complete: requirements/qgis-tests.txt | system
	@scripts/setup qgis $(QGIS)
	@touch $@

# The root under the package's name, whatever the checkout is called: for mypy and as a QGIS plugin folder.
$(LINK):
	@mkdir -p $(@D) && ln -sfn ../.. $@

demo: $(READY) ## create scenes, train, map one, save demo.qgz and a picture
	@scripts/demo

test: check test-engine test-qgis ## check, engine tests, QGIS tests, end-to-end tests

check: $(READY) ## formatting, lint, types, security
	$(ENGINE)/bin/ruff check .
	$(ENGINE)/bin/ruff format --check .
	$(ENGINE)/bin/mypy
	$(ENGINE)/bin/bandit -q -ll -r -c pyproject.toml .
	git ls-files -z -- . ':!requirements' ':!LICENSE' | xargs -0 $(ENGINE)/bin/detect-secrets-hook

test-engine: $(READY)
	$(ENGINE)/bin/python -m pytest -q -p no:pytest_qgis tests/unit

test-qgis: $(READY)
	$(PYTEST_QGIS) tests/qgis
	$(PYTEST_QGIS) tests/e2e

bench: $(READY) ## measure speed and memory, write the table in benchmarks/
	$(ENGINE)/bin/python benchmarks/run.py

# git archive leaves out what .gitattributes marks as export-ignore. qgis-plugin-ci does the same, but cannot package a
# plugin whose root is the repository's root without a re-rooted copy, so it would add a tool and nothing to the zip.
package: ## zip the plugin as committed, for “Install from ZIP”
	@mkdir -p dist
	@version=$$(sed -n 's/^version=//p' metadata.txt); \
	git archive --format=zip --prefix=auxlens/ -o dist/auxlens-$$version.zip HEAD; \
	echo "dist/auxlens-$$version.zip: $$(unzip -l dist/auxlens-$$version.zip | tail -1)"

clean: ## remove environments, caches and packages
	rm -rf .venv dist build demo *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
