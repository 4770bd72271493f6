# `make` lists what there is. Everything runs in .venv, built from requirements.txt.

# The build of torch: cpu, cu126, cu130, ... or auto. For a GPU: export TORCH_BACKEND=cu130
TORCH_BACKEND ?= cpu
TORCH ?= 2.13.0

PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .venv/bin/uv
UV_STAMP := .venv/uv-$(UV_VERSION)
TORCH_STAMP := .venv/torch-$(TORCH)-$(TORCH_BACKEND)

# A folder of wheels or a mirror that pip was told of serves uv as well.
empty :=
comma := ,
ifdef PIP_FIND_LINKS
export UV_FIND_LINKS ?= $(subst $(empty) $(empty),$(comma),$(strip $(PIP_FIND_LINKS)))
endif
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
# Without compiled files every stage would compile torch afresh while it starts.
unexport PYTHONDONTWRITEBYTECODE
# Waiting threads sleep: spinning ones stand in the way of everything else on a busy machine.
export OMP_WAIT_POLICY ?= PASSIVE
export VIRTUAL_ENV := $(CURDIR)/.venv
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup repro smoke profile sweep compare experiments metrics plots test kills threads page-check check lint format lock verify fuzz audit image image-test bench cluster clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-12s %s\n", $$1, $$2 }'

setup: .venv/ready ## build .venv from the lock

# The stamps carry versions in their names: what is unchanged is not done again.
$(UV_STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "error: Python 3.11 or newer is needed, $(PYTHON) is `$(PYTHON) -V 2>&1`; try: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "error: $(PYTHON) could not make .venv; install its venv module (python3-venv)" >&2; exit 1; }
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@rm -f .venv/uv-* && touch $@

.venv/locked: requirements.txt | $(UV_STAMP)
	@$(UV) pip install --quiet --require-hashes --no-deps -r requirements.txt
	@touch $@

# torch by itself, so that no resolver can choose a build for it: from pip's folder of wheels if there is one
# that has it, else from torch's own index, which uv knows.
$(TORCH_STAMP): | .venv/locked
	@rm -f .venv/torch-*
	@{ test -n "$$UV_FIND_LINKS" && $(UV) pip install --quiet --no-index "torch==$(TORCH)+$(TORCH_BACKEND)" 2>/dev/null; } \
	 || $(UV) pip install --reinstall-package torch --torch-backend $(TORCH_BACKEND) "torch==$(TORCH)"
	@touch $@

.venv/ready: .venv/locked $(TORCH_STAMP)
	@$(UV) pip check --quiet || { $(UV) pip check; exit 1; }
	@touch $@

repro: setup ## run the experiment of params.yaml: the report is reports/report.md
	@git rev-parse --git-dir >/dev/null 2>&1 || { echo "error: DVC needs a git repository; clone the project, or: git init && git add -A && git commit -m start" >&2; exit 1; }
	dvc repro
	@echo "report: $(CURDIR)/reports/report.md"

# A copy of the working tree as it is, so that nothing here is overwritten; the DVC cache is shared.
SMOKE ?= build/smoke
CACHE ?= $(CURDIR)/.dvc/cache
smoke: setup ## run the pipeline at its smallest in a copy of the working tree, build/smoke
	@rm -rf $(SMOKE) $(SMOKE).index && mkdir -p $(dir $(SMOKE))
	@git clone --quiet --no-checkout . $(SMOKE)
	@GIT_INDEX_FILE=$(abspath $(SMOKE)).index git add --all
	@GIT_INDEX_FILE=$(abspath $(SMOKE)).index git checkout-index --all --prefix=$(SMOKE)/
	@rm $(SMOKE).index && git -C $(SMOKE) reset --quiet
	@cp profiles/smoke.yaml $(SMOKE)/params.yaml
	@cd $(SMOKE) && dvc config --local cache.dir $(CACHE) && rm -rf reports dvc.lock && dvc repro
	@echo "report: $(abspath $(SMOKE))/reports/report.md"

profile: ## choose an experiment: make profile NAME=paper
	@test -f "profiles/$(NAME).yaml" || { echo "error: no profile '$(NAME)'; choose one of: $(patsubst profiles/%.yaml,%,$(wildcard profiles/*.yaml)), as in make profile NAME=default" >&2; exit 1; }
	@known=; for file in profiles/*.yaml; do cmp -s $$file params.yaml && known=1; done; \
	 test -n "$$known" || { cp params.yaml params.old.yaml && echo "note: your params.yaml was none of the profiles; it is kept as params.old.yaml"; }
	@cp "profiles/$(NAME).yaml" params.yaml
	@echo "params.yaml is now profiles/$(NAME).yaml; make repro runs it"

# The sweeps that matter; each value is an experiment of its own. One of your own: make sweep NAME=mine GRID=prune.rate=0.3,0.5
SWEEP_rate := prune.rate=0.05,0.1,0.2
SWEEP_threshold := prune.threshold=0.8,0.9,0.95
SWEEP_reduction := importance.reduction=example,batch,cumulative
SWEEP_data := prune.data=select,dev
SWEEP_seeds := grid.seeds=[1337,42],[1337,42,86],[1337,42,86,71,166]
GRID ?= $(SWEEP_$(NAME))
sweep: setup ## queue a named sweep, run it, compare: make sweep NAME=rate
	@test -n "$(GRID)" || { echo "error: no sweep '$(NAME)'; choose one of: $(patsubst SWEEP_%,%,$(filter SWEEP_%,$(.VARIABLES))), as in make sweep NAME=rate" >&2; exit 1; }
	dvc exp run --queue --name "$(NAME)" -S '$(GRID)'
	dvc exp run --run-all
	@$(MAKE) --no-print-directory compare

# The commit whose experiments are looked at, and for plots the experiments: make plots EXP="rate-1 rate-2".
BASE ?= HEAD
EXP ?=
compare: setup ## compare the experiments in reports/experiments.md and .html
	.venv/bin/python -m tools.compare reports/tables dvc.lock lottery/report/page.html reports/experiments.md reports/experiments --base $(BASE)

# Few columns: what changed, the good subnetworks, how much of the model they are.
experiments: setup ## list the experiments of `dvc exp run`: what was changed, what came out
	dvc exp show --no-pager --only-changed --precision 3 --rev $(BASE) \
	  --drop '/|^(scores|subnetworks|published|Created|majority)$$|(pruned|retrained)\.(random|bad)$$|\.jaccard$$'

metrics: setup ## headline numbers that are not those of the last commit: make metrics EXP=rate-1
	dvc metrics diff --no-path --precision 3 $(BASE) $(EXP)

plots: setup ## curves and heat maps, of experiments over each other too: make plots EXP="rate-1 rate-2"
	dvc plots diff --out build/plots $(BASE) $(EXP)

test: setup ## all tests, the smallest pipeline included
	.venv/bin/python -m pytest

KILLS ?= 50
kills: setup ## kill real runs at random moments, 50 times, and compare what comes out: a quarter of an hour
	.venv/bin/python -m tests.kills $(KILLS)

THREADS ?= 2
threads: setup ## what another number of threads changes in a finished run: make threads THREADS=2
	.venv/bin/python -m tests.threads $(THREADS)

check: lint test ## format, lint, strict types, tests

lint: setup ## format, lint and strict types, changing nothing
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy

format: setup ## format, and mend what lint can mend
	.venv/bin/ruff check --fix --quiet . || true
	.venv/bin/ruff format .

lock: $(UV_STAMP) ## resolve pyproject.toml afresh into requirements.txt
	@mkdir -p build && echo "torch==$(TORCH)+cpu" > build/torch.txt
	$(UV) pip compile pyproject.toml --extra cluster --group dev --universal --fork-strategy fewest --generate-hashes --upgrade \
	  --constraint build/torch.txt --no-emit-package torch --custom-compile-command "make lock" --quiet \
	  $(if $(PIP_FIND_LINKS),,--torch-backend cpu) --output-file requirements.txt

cluster: setup ## smoke on two workers and an S3 server here, one worker killed: is the report the plain run's?
	.venv/bin/python -m pytest tests/test_cluster.py

# Scores as cut come out to the last bit on the machine and with the threads they were made with; elsewhere: TOLERANCE=1e-6
TOLERANCE ?= 0
verify: setup ## check a finished run from what it left: counts, scores, draws, tables, report
	@.venv/bin/python -m tools.verify data models subnetworks scores attention published lottery/report/page.html reports dvc.lock --tolerance $(TOLERANCE)

# Coverage-guided: what is found stays in build/fuzz, the bytes that break a reader as <reader>-crash-*.
ATHERIS := 3.0.0
SECONDS ?= 60
READERS ?= parameters masks-table masks-array checkpoint-config checkpoint-weights subnetworks \
  glue-parquet glue-arrow corpus-tsv corpus-json labelled-maps
fuzz: setup ## feed each reader of foreign files made-up bytes for SECONDS: make fuzz READERS=parameters
	@test -x build/fuzz/$(ATHERIS)/bin/python || $(PYTHON) -m venv build/fuzz/$(ATHERIS)
	@build/fuzz/$(ATHERIS)/bin/python -m pip install --quiet --disable-pip-version-check atheris==$(ATHERIS)
	@.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$$(build/fuzz/$(ATHERIS)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/lottery.pth"
	@failed=; for reader in $(READERS); do \
	  nice build/fuzz/$(ATHERIS)/bin/python -m tests.fuzz.harness $$reader build/fuzz/corpus/$$reader -max_total_time=$(SECONDS) \
	    -timeout=30 -rss_limit_mb=4096 -print_final_stats=1 -artifact_prefix=build/fuzz/$$reader- > build/fuzz/$$reader.log 2>&1 \
	    && verdict=sound || { verdict="broken, see build/fuzz/$$reader.log"; failed=1; }; \
	  echo "$$reader: $$(sed -n 's/^stat::number_of_executed_units: *//p' build/fuzz/$$reader.log) executions, $$verdict"; \
	done; test -z "$$failed"

# Tools of their own, as the audited are not to be changed by them. What could not be looked up is not called sound.
PIP_AUDIT := 2.10.1
CYCLONEDX := 7.5.0
AUDIT := build/audit/$(PIP_AUDIT)-$(CYCLONEDX)
audit: ## known weaknesses of the locked dependencies, and their bill of materials, build/bom.json
	@test -x $(AUDIT)/bin/pip-audit || { $(PYTHON) -m venv $(AUDIT) && $(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==$(PIP_AUDIT) cyclonedx-bom==$(CYCLONEDX); }
	@$(AUDIT)/bin/cyclonedx-py requirements requirements.txt --output-format JSON --output-file build/bom.json && echo "bill of materials: build/bom.json"
	@timeout 300 $(AUDIT)/bin/pip-audit --strict --disable-pip --require-hashes --timeout 10 --requirement requirements.txt > build/audit.log 2>&1 \
	  && echo "audit: no known weakness in the lock" \
	  || { echo "error: audit: weak, or not looked up: $$(tail -n 1 build/audit.log); all of it: build/audit.log" >&2; exit 1; }

# The accessibility checker, as the npm registry has it; the pages are looked at by a browser that is there already.
AXE := 4.14.1
AXE_SHA512 := 1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5
build/axe-$(AXE).js:
	@command -v npm >/dev/null || { echo "error: npm is needed to fetch axe-core $(AXE); on Debian: apt-get install npm" >&2; exit 1; }
	@rm -f build/axe-* && mkdir -p build
	@npm pack --silent --pack-destination build axe-core@$(AXE) >/dev/null
	@echo "$(AXE_SHA512)  build/axe-core-$(AXE).tgz" | sha512sum --check --quiet
	@tar -xzOf build/axe-core-$(AXE).tgz package/axe.min.js > $@.part && mv $@.part $@

PAGES ?= $(wildcard reports/*.html)
page-check: setup build/axe-$(AXE).js ## look at the HTML pages in Chromium: errors, widths, contrast, print
	.venv/bin/python -m tests.browser build/pages $(PAGES)

DOCKER ?= docker
IMAGE ?= lottery
# Options of `docker build`, such as --network host, or --secret id=ca,src=certificates.pem
BUILD ?=
export DOCKER IMAGE BUILD
ENGINE = @$(DOCKER) version >/dev/null 2>&1 || { echo "error: no container engine answers to '$(DOCKER)'; install one (Debian, Ubuntu: apt-get install docker.io), start its daemon, or name yours: make $@ DOCKER=podman" >&2; exit 1; }

image: ## build the container image, lottery
	$(ENGINE)
	@for wheel in $(wildcard $(PIP_FIND_LINKS:%=%/torch-$(TORCH)+$(TORCH_BACKEND)-*.whl)); do cp -u "$$wheel" docker/wheels/; done
	DOCKER_BUILDKIT=1 $(DOCKER) build $(BUILD) --build-arg TORCH_BACKEND=$(TORCH_BACKEND) \
	  --build-arg REVISION=$(shell git describe --always --dirty) --tag $(IMAGE) .

image-test: image setup ## run the image for real: any user, no network, stopped, against a run without it
	.venv/bin/python -m pytest -v --durations=0 tests/image.py

clean: ## remove .venv, caches and build; what `make repro` made stays
	rm -rf .venv build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find benchmarks cluster lottery stages tests tools -name __pycache__ -prune -exec rm -rf {} +

# The peers have an environment of their own, in which they find the project's torch and transformers.
PEERS := build/peers
$(PEERS)/ready: benchmarks/peers.txt | setup
	@$(UV) venv --quiet --clear --python .venv/bin/python $(PEERS)
	@$(UV) pip install --quiet --no-deps --python $(PEERS)/bin/python -r benchmarks/peers.txt
	@.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
	  > "$$($(PEERS)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/project.pth"
	@touch $@

# Part of it: make bench BENCH="--work importance --rounds 2".
BENCH ?=
bench: setup $(PEERS)/ready ## race the program against plain ways and peers, about half an hour: reports/benchmarks/benchmarks.md
	dvc repro --quiet prepare@sst2
	.venv/bin/python -m benchmarks $(BENCH)
