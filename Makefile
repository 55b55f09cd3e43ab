# Everything a newcomer or a machine does with the portal. `make` alone lists it.
# Needs make, Python 3.11 or newer, and nothing else: no root, no database, no docker.

VENV   := .venv
PY     := $(VENV)/bin/python
DEV    := $(VENV)/.tests-installed
WITH   := $(PY) -m portal.servers with --follow-parent
# A data folder of its own: tests and a running `make run` do not meet, nor do two checkouts.
TESTED := $(WITH) --careless --data-dir .data/test --
SOURCE := portal enterprises projects notices journal tools tests manage.py
FOUND   = $(wildcard $(SOURCE))

# What a production server is given, as far as a check needs it.
LIKE_PRODUCTION = env PRODUCTION=1 ALLOWED_HOSTS=portal.example.cn DATA_DIR=.data/test \
	SECRET_KEY=$$($(PY) -c "import secrets; print(secrets.token_urlsafe(64))") \
	DATABASE_URL=postgresql://portal@localhost/portal REDIS_URL=redis://localhost:6379/0

.NOTPARALLEL:
.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@echo "民生项目督办门户 / Livelihood projects portal"
	@echo
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  PORT=8001 make run    another port      DATA_DIR=/path make run    other data"
	@echo "  DEMO=0 make run       starts empty      every setting: docs/operations.md"

# -- set-up -------------------------------------------------------------------------------------

.PHONY: setup
setup: $(VENV)/.installed ## Make .venv and install the pinned packages (again when they change)

# A dangling link counts as missing: the Python it was made with has gone.
$(PY):
	@rm -rf $(VENV)
	@python=; \
	for candidate in "$$PYTHON" python3 python3.13 python3.12 python3.11 python3.14; do \
		if [ -n "$$candidate" ] && "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
		then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "找不到 Python 3.11 或更新版本，请先安装，或用 PYTHON=/路径 指定。"; \
		echo "No Python 3.11 or newer found. Install one, or name it: make run PYTHON=/path/to/python3"; \
		exit 1; \
	fi; \
	if ! "$$python" -c 'import venv, ensurepip' 2>/dev/null; then \
		echo "$$python 缺少 venv 模块。Debian/Ubuntu 请安装：apt install python3-venv"; \
		echo "$$python lacks the venv module. On Debian or Ubuntu: apt install python3-venv"; \
		exit 1; \
	fi; \
	echo "正在创建 $(VENV) … / Making $(VENV) with $$python …"; \
	"$$python" -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(PY)
	@echo "正在安装依赖… / Installing packages …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(DEV): requirements-dev.txt $(VENV)/.installed
	@echo "正在安装测试依赖… / Installing what the tests need …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

# -- run ----------------------------------------------------------------------------------------

.PHONY: run
run: setup ## Start the portal with demonstration data at http://127.0.0.1:8000/; Ctrl-C stops it
	@$(PY) -m portal.servers run --follow-parent

# -- test ---------------------------------------------------------------------------------------

.PHONY: test
test: lint types check pytest ## Everything below, in this order: the whole truth

.PHONY: lint
lint: ruff format-check templates django-style arrows ## All checks of style and structure

.PHONY: ruff
ruff: $(DEV) ## Mistakes that can be seen without running
	$(PY) -m ruff check .

.PHONY: format-check
format-check: $(DEV) ## Layout of the Python code
	$(PY) -m ruff format --check .

.PHONY: templates
templates: $(DEV) ## Indentation of the templates
	$(VENV)/bin/djhtml --check $(wildcard templates)

.PHONY: django-style
django-style: $(DEV) ## No idioms that Django 5.2 has replaced
	find $(FOUND) -name '*.py' -exec $(VENV)/bin/django-upgrade --target-version 5.2 --check {} +

.PHONY: arrows
arrows: $(DEV) ## Which part may import which (import-linter)
	$(VENV)/bin/lint-imports

.PHONY: types
types: $(DEV) ## mypy
	$(PY) -m mypy

.PHONY: check
check: messages-check migrations-check deploy-check ## Translations, migrations, production settings

.PHONY: messages-check
messages-check: $(DEV) ## Every text has its Chinese
	DATA_DIR=.data/test $(PY) -m tools.messages check

.PHONY: migrations-check
migrations-check: $(DEV) ## The migrations say what the models say
	$(TESTED) $(PY) manage.py makemigrations --check --dry-run

.PHONY: deploy-check
deploy-check: $(DEV) ## Django's own check of production settings
	$(LIKE_PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING

.PHONY: pytest
pytest: $(DEV) browser ## Unit, isolation, concurrency and browser tests; ARGS="-k word" chooses
	@if ! $(HAS_BROWSER); then export E2E=skip; fi; \
	echo "$(TESTED) $(PY) -m pytest -n 2 $(ARGS)"; \
	$(TESTED) $(PY) -m pytest -n 2 $(ARGS)

HAS_BROWSER = { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null
# Asked of what will set the sheets, not of the system: a font that it does not know would not help.
HAS_FONT = $(PY) -c "from projects.wall_chart.files import chinese_font as found; raise SystemExit(not found(()))"

.PHONY: browser
browser: $(DEV) ## Chromium and a Chinese font for the tests: installed when we are root on Debian
	@missing=; \
	[ "$$E2E" = skip ] || $(HAS_BROWSER) || missing="chromium"; \
	$(HAS_FONT) || missing="$${missing:+$$missing }fonts-noto-cjk"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "正在安装 / Installing: $$missing …"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
			--no-install-recommends $$missing >/dev/null && exit 0; \
	fi; \
	echo "================================================================================"; \
	echo "缺少 $$missing，有关测试将被跳过。请以 root 安装：apt install $$missing"; \
	echo "THE TESTS THAT NEED $$missing ARE SKIPPED. As root: apt install $$missing"; \
	echo "================================================================================"; \
	if [ -n "$$CI" ]; then echo "CI is set: a skipped test is a failure."; exit 1; fi

# -- work ---------------------------------------------------------------------------------------

.PHONY: format
format: $(DEV) ## Lay out code and templates as `make lint` wants them
	$(PY) -m ruff check --fix . ; $(PY) -m ruff format .
	$(VENV)/bin/djhtml $(wildcard templates)

.PHONY: messages
messages: $(DEV) ## Bring the translation files up to the texts in the code
	DATA_DIR=.data/test $(PY) -m tools.messages update

.PHONY: bench
bench: $(DEV) ## Measure the portal at national scale (takes minutes; fills .data/bench)
	$(WITH) --data-dir .data/bench -- $(PY) -m tools.bench $(ARGS)

.PHONY: chaos
chaos: $(DEV) ## Kill web, worker, beat, broker and database at work, move the clock (three quarters of an hour; fills .data/chaos)
	$(WITH) --data-dir .data/chaos -- $(PY) -m tools.chaos $(ARGS)

.PHONY: races
races: $(DEV) ## 100 simultaneous pairs on every edit form, draft and decision (minutes); RACES=20 for fewer
	env RACES=$${RACES:-100} $(TESTED) $(PY) -m pytest tests/test_edit_races.py tests/test_draft_races.py --durations=50 $(ARGS)

LOCK = $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url

.PHONY: lock
lock: $(PY) ## Choose new exact versions for both requirements files; ARGS=--upgrade for the newest
	$(PY) -m pip install --quiet --disable-pip-version-check 'uv~=0.9'
	$(LOCK) $(ARGS) requirements.in -o requirements.txt
	$(LOCK) $(ARGS) requirements-dev.in -o requirements-dev.txt

.PHONY: clean
clean: ## Remove caches and the data of tests and benchmarks; .venv and your own .data stay
	rm -rf .data/test .data/bench .data/chaos .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find $(FOUND) -name __pycache__ -type d -prune -exec rm -rf {} +
