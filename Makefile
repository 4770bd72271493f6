# `make` lists the targets. Everything runs in .venv, which is built from requirements.txt.

# Build of torch: cpu, cu126, cu130, ... or auto. For a GPU: export TORCH_BACKEND=cu130
TORCH_BACKEND ?= cpu
TORCH ?= 2.13.0

PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .venv/bin/uv
UV_STAMP := .venv/uv-$(UV_VERSION)
TORCH_STAMP := .venv/torch-$(TORCH)-$(TORCH_BACKEND)

# uv uses the wheel folder or mirror that pip is configured with.
empty :=
comma := ,
ifdef PIP_FIND_LINKS
export UV_FIND_LINKS ?= $(subst $(empty) $(empty),$(comma),$(strip $(PIP_FIND_LINKS)))
endif
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
# Without bytecode caches every stage would compile torch again at start-up.
unexport PYTHONDONTWRITEBYTECODE
# Let idle OpenMP threads sleep; spinning slows down everything else on a busy machine.
export OMP_WAIT_POLICY ?= PASSIVE
export VIRTUAL_ENV := $(CURDIR)/.venv
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help repository setup repro more smoke profile ticket measure sweep compare experiments metrics plots test kills threads page-check test-quick gpu-check check lint format lock verify bundle fuzz audit image image-test bench cluster clean

help: ## list the targets
	@awk -F ':.*## ' '/^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ The experiment
setup: .venv/installed ## build .venv from requirements.txt and install the command `lottery` in it

# Stamps are named by version, so that only what changed is installed again.
$(UV_STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "error: Python 3.11 or newer is required, $(PYTHON) is `$(PYTHON) -V 2>&1`; try: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "error: $(PYTHON) cannot create .venv; install its venv module (python3-venv)" >&2; exit 1; }
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@rm -f .venv/uv-* && touch $@

.venv/locked: requirements.txt | $(UV_STAMP)
	@$(UV) pip install --quiet --require-hashes --no-deps -r requirements.txt
	@touch $@

# torch is installed separately, so that no resolver chooses its build: from pip's wheel folder if it has the wheel,
# otherwise from torch's own index, which uv knows.
$(TORCH_STAMP): | .venv/locked
	@rm -f .venv/torch-*
	@{ test -n "$$UV_FIND_LINKS" && $(UV) pip install --quiet --no-index "torch==$(TORCH)+$(TORCH_BACKEND)" 2>/dev/null; } \
	 || $(UV) pip install --reinstall-package torch --torch-backend $(TORCH_BACKEND) "torch==$(TORCH)"
	@touch $@

.venv/ready: .venv/locked $(TORCH_STAMP)
	@$(UV) pip check --quiet || { $(UV) pip check; exit 1; }
	@touch $@

# The command is a program of the shell and of Python, since the path of .venv may have signs that no first line can have.
define LOTTERY
#!/bin/sh
'''exec' "$$(dirname "$$(readlink -f "$$0")")/python" "$$0" "$$@"
' '''
from tools.app import main
main()
endef
export LOTTERY

# Editable: `lottery` runs the sources in PROJECT. By pip, since uv adds a time stamp to what it installs.
PROJECT ?= .
.venv/installed: .venv/ready $(PROJECT)/pyproject.toml
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable $(PROJECT)
	@printf '%s\n' "$$LOTTERY" > .venv/bin/lottery
	@touch $@

repository:
	@git rev-parse --git-dir >/dev/null 2>&1 || { echo "error: DVC needs a git repository; clone the project, or: git init && git add -A && git commit -m start" >&2; exit 1; }

repro: repository setup ## run the experiment of params.yaml; the report is reports/report.md
	lottery repro
	@echo "report: $$PWD/reports/report.md"

more: repository setup ## if primary claims are undecided, add seeds up to the next planned look, and run what they need
	lottery more
	@$(MAKE) --no-print-directory repro

# Runs in a copy of the working tree, uncommitted changes included; only the DVC cache is shared, by a relative path,
# because DVC cannot write one that is not ASCII.
SMOKE ?= build/smoke
CACHE ?= .dvc/cache
smoke: repository setup ## run the smallest experiment in a copy of the working tree, build/smoke
	@rm -rf "$(SMOKE)" "$(SMOKE).index" && mkdir -p "$(SMOKE)"
	@top=$$(git rev-parse --show-toplevel) && git clone --quiet --no-checkout "$$top" "$(SMOKE)" \
	  && copy=$$(cd "$(SMOKE)" && pwd) && export GIT_INDEX_FILE="$$copy.index" \
	  && cd "$$top" && git add --all && git checkout-index --all --prefix="$$copy/" && rm "$$copy.index"
	@git -C "$(SMOKE)" reset --quiet
	@copy="$(SMOKE)/$$(git rev-parse --show-prefix)" && cp profiles/smoke.yaml "$$copy/params.yaml" \
	  && cache=$$(realpath -m --relative-to="$$copy" "$(CACHE)") \
	  && cd "$$copy" && dvc config --local cache.dir "$$cache" && rm -rf reports dvc.lock && dvc repro \
	  && echo "report: $$PWD/reports/report.md"

profile: ## copy a profile over params.yaml: make profile NAME=paper
	@test -f "profiles/$(NAME).yaml" || { echo "error: no profile '$(NAME)'; choose one of: $(patsubst profiles/%.yaml,%,$(wildcard profiles/*.yaml)), as in make profile NAME=default" >&2; exit 1; }
	@same=; for file in profiles/*.yaml; do cmp -s $$file params.yaml && same=1; done; \
	 test -n "$$same" || { cp params.yaml params.old.yaml && echo "note: params.yaml matches no profile; it is kept as params.old.yaml"; }
	@cp "profiles/$(NAME).yaml" params.yaml
	@echo "params.yaml is now profiles/$(NAME).yaml; run it with: make repro"

##@ Tickets to take home
# Another ticket, other forms: make ticket TASK=stsb EXPORT="--method magnitude --forms transformers"
TASK ?= sst2
EXPORT ?=
ticket: setup ## export a trained ticket of a finished run for other programs: make ticket TASK=sst2
	@test -n "$(TASK)" || { echo "error: no task; name one: make ticket TASK=sst2" >&2; exit 1; }
	lottery export "$(TASK)" "build/tickets/$(TASK)" --replace $(EXPORT)

measure: repository setup ## measure size and speed of the tickets on a quiet machine, ten minutes; write the report again with them
	lottery measure
	dvc repro --quiet --force --single-item report

##@ Experiments side by side
# Each value is one experiment, each combination if there are several parameters. For a sweep of your own:
# make sweep NAME=mine GRID="prune.rate=0.3,0.5 prune.threshold=0.8,0.9"
SWEEP_rate := prune.rate=0.05,0.1,0.2
SWEEP_threshold := prune.threshold=0.8,0.9,0.95
SWEEP_reduction := importance.reduction=example,batch,cumulative
SWEEP_saliencies := importance.saliency=gate,taylor,empirical-fisher,magnitude,wanda,movement,random
SWEEP_weight-saliencies := magnitude.saliency=magnitude,taylor,empirical-fisher,wanda,movement,random
SWEEP_data := prune.data=select,dev
SWEEP_data-size := data.train=400,800,1600,3200
SWEEP_seeds := grid.seeds=[11,12],[11,12,13],[11,12,13,14,15]
GRID ?= $(SWEEP_$(NAME))
sweep: repository setup ## run a named sweep, then compare: make sweep NAME=rate
	@test -n "$(GRID)" || { echo "error: no sweep '$(NAME)'; choose one of: $(patsubst SWEEP_%,%,$(filter SWEEP_%,$(.VARIABLES))), as in make sweep NAME=rate" >&2; exit 1; }
	lottery sweep '$(NAME)' $(foreach values,$(GRID),'$(values)')

# BASE: the commit that the experiments started from. EXP: names of experiments, as in make plots EXP="rate-1 rate-2"
BASE ?= HEAD
EXP ?=
compare: repository setup ## compare all experiments in reports/experiments.md and .html
	lottery compare --base $(BASE)

# Columns: changed parameters, scores and sizes of the good subnetworks.
experiments: repository setup ## list the experiments of `dvc exp run`: changed parameters and headline numbers
	dvc exp show --no-pager --only-changed --precision 3 --rev $(BASE) \
	  --drop '/|^(scores|predictions|subnetworks|published|Created|majority)$$|(pruned|retrained)\.(random|bad)$$|\.jaccard$$'

metrics: repository setup ## differences of headline numbers to the baseline: make metrics EXP=rate-1
	dvc metrics diff --no-path --precision 3 $(BASE) $(EXP)

plots: repository setup ## curves and heat maps of one or more experiments: make plots EXP="rate-1 rate-2"
	dvc plots diff --out build/plots $(BASE) $(EXP)

##@ Checks of a run
# Pruned scores are equal to the last bit on the same machine with the same number of threads; elsewhere: TOLERANCE=1e-6
TOLERANCE ?= 0
verify: setup ## check a finished run from its outputs: counts, scores, draws, tables, report
	@lottery verify --tolerance $(TOLERANCE)

# With the trained tickets that the run keeps: make bundle BUNDLE=--kept
BUNDLE ?=
bundle: setup ## write a finished run into one archive, build/bundle.zip: report, tables, records, parameters, licences
	lottery bundle build/bundle.zip $(BUNDLE)

THREADS ?= 2
threads: setup ## repeat searches and trainings of a finished run with another number of THREADS; show what differs
	.venv/bin/python -m tests.programs.threads $(THREADS)

# The accessibility checker, from the npm registry. The browser must be installed.
AXE := 4.14.1
AXE_SHA512 := 1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5
build/axe-$(AXE).js:
	@command -v npm >/dev/null || { echo "error: npm is needed to fetch axe-core $(AXE); on Debian: apt-get install npm" >&2; exit 1; }
	@rm -f build/axe-* && mkdir -p build
	@npm pack --silent --pack-destination build axe-core@$(AXE) >/dev/null
	@echo "$(AXE_SHA512)  build/axe-core-$(AXE).tgz" | sha512sum --check --quiet
	@tar -xzOf build/axe-core-$(AXE).tgz package/axe.min.js > $@.part && mv $@.part $@

PAGES ?= $(wildcard reports/*.html reports/*/*.html)
page-check: setup build/axe-$(AXE).js ## check the HTML pages in Chromium: errors, widths, contrast, print
	.venv/bin/python -m tests.programs.browser build/pages $(PAGES)

##@ Development
# Tests of one file run one after another: those of the pipeline share its run. More processes than cores gain nothing.
PYTEST := .venv/bin/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile
test: repository setup ## run all tests, the smallest pipeline included, on as many cores as there are
	$(PYTEST) --no-loadscope-reorder

test-quick: repository setup ## run the tests that take no stage, program or whole analysis: while you edit
	$(PYTEST) --quick

check: lint test ## run lint and test

lint: setup ## check formatting, lint and types
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy

format: setup ## format, and fix what can be fixed automatically
	.venv/bin/ruff check --fix --quiet . || true
	.venv/bin/ruff format .

lock: $(UV_STAMP) ## resolve the dependencies of pyproject.toml afresh into requirements.txt
	@mkdir -p build && echo "torch==$(TORCH)+cpu" > build/torch.txt
	$(UV) pip compile pyproject.toml --extra cluster --extra export --group dev --universal --fork-strategy fewest --generate-hashes --upgrade \
	  --constraint build/torch.txt --no-emit-package torch --custom-compile-command "make lock" --quiet \
	  $(if $(PIP_FIND_LINKS),,--torch-backend cpu) --output-file requirements.txt

cluster: repository setup ## run the smallest experiment on two workers and an S3 server here, one worker killed; compare with a plain run
	.venv/bin/python -m pytest tests/test_cluster.py

KILLS ?= 50
kills: repository setup ## kill real runs at KILLS random moments, 15 minutes; their results must equal an undisturbed run
	.venv/bin/python -m tests.programs.kills $(KILLS)

# Coverage-guided. build/fuzz keeps the corpus, and the input of a crash as <reader>-crash-*.
ATHERIS := 3.0.0
SECONDS ?= 60
READERS ?= parameters masks-table masks-array checkpoint-config checkpoint-weights subnetworks \
  bit-mask glue-parquet glue-arrow corpus-tsv corpus-json labelled-maps bundles \
  cluster-file times-table own-csv own-lines tokenizer-rules shard-index own-parquet own-folder pipeline run-lock
fuzz: setup ## fuzz the readers of foreign files, SECONDS each: make fuzz READERS=parameters
	@test -x build/fuzz/$(ATHERIS)/bin/python || $(PYTHON) -m venv build/fuzz/$(ATHERIS)
	@build/fuzz/$(ATHERIS)/bin/python -m pip install --quiet --disable-pip-version-check atheris==$(ATHERIS)
	@.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$$(build/fuzz/$(ATHERIS)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/lottery.pth"
	@failed=; for reader in $(READERS); do \
	  nice build/fuzz/$(ATHERIS)/bin/python -m tests.fuzz.harness $$reader build/fuzz/corpus/$$reader -max_total_time=$(SECONDS) \
	    -timeout=30 -rss_limit_mb=4096 -print_final_stats=1 -artifact_prefix=build/fuzz/$$reader- > build/fuzz/$$reader.log 2>&1 \
	    && verdict=passed || { verdict="failed, see build/fuzz/$$reader.log"; failed=1; }; \
	  echo "$$reader: $$(sed -n 's/^stat::number_of_executed_units: *//p' build/fuzz/$$reader.log) executions, $$verdict"; \
	done; test -z "$$failed"

# In an environment of its own, so that the audit does not change what it audits. A failed look-up fails the audit.
PIP_AUDIT := 2.10.1
CYCLONEDX := 7.5.0
AUDIT := build/audit/$(PIP_AUDIT)-$(CYCLONEDX)
audit: ## look up known vulnerabilities of the locked dependencies; write their bill of materials, build/bom.json
	@test -x $(AUDIT)/bin/pip-audit || { $(PYTHON) -m venv $(AUDIT) && $(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==$(PIP_AUDIT) cyclonedx-bom==$(CYCLONEDX); }
	@$(AUDIT)/bin/cyclonedx-py requirements requirements.txt --output-format JSON --output-file build/bom.json && echo "bill of materials: build/bom.json"
	@timeout 300 $(AUDIT)/bin/pip-audit --strict --disable-pip --require-hashes --timeout 10 --requirement requirements.txt > build/audit.log 2>&1 \
	  && echo "audit: no known vulnerabilities in requirements.txt" \
	  || { echo "error: audit: vulnerable, or look-up failed: $$(tail -n 1 build/audit.log); full log: build/audit.log" >&2; exit 1; }

# The other libraries have an environment of their own, which shares the project's torch and transformers.
PEERS := build/peers
$(PEERS)/ready: benchmarks/peers.txt | setup
	@$(UV) venv --quiet --clear --python .venv/bin/python $(PEERS)
	@$(UV) pip install --quiet --no-deps --python $(PEERS)/bin/python -r benchmarks/peers.txt
	@.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
	  > "$$($(PEERS)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/project.pth"
	@touch $@

# Some of the benchmarks: make bench BENCH="--work importance --rounds 2"
BENCH ?=
bench: setup $(PEERS)/ready ## time this implementation against a plain one and other libraries, half an hour: reports/benchmarks
	.venv/bin/python -m benchmarks $(BENCH)

# Without setup, git, network or DVC: by .venv if there is one, else by the python3 that has the packages.
gpu-check: ## compare a GPU with the CPU and time it next to transformers, ten minutes: reports/benchmarks/gpu.md
	timeout 600 python3 -m benchmarks.gpu

clean: ## remove .venv, caches and build; the results of `make repro` stay
	rm -rf .venv build lottery.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find benchmarks cluster lottery stages tests tools -name __pycache__ -prune -exec rm -rf {} +

##@ Container
DOCKER ?= docker
IMAGE ?= lottery
# Options of `docker build`, such as --network host or --secret id=ca,src=certificates.pem
BUILD ?=
export DOCKER IMAGE BUILD
ENGINE = @$(DOCKER) version >/dev/null 2>&1 || { echo "error: '$(DOCKER)' reaches no container engine; install one (Debian, Ubuntu: apt-get install docker.io), start its daemon, or name yours: make $@ DOCKER=podman" >&2; exit 1; }

image: ## build the container image, lottery
	$(ENGINE)
	@for wheel in $(wildcard $(PIP_FIND_LINKS:%=%/torch-$(TORCH)+$(TORCH_BACKEND)-*.whl)); do cp -u "$$wheel" docker/wheels/; done
	DOCKER_BUILDKIT=1 $(DOCKER) build $(BUILD) --build-arg TORCH_BACKEND=$(TORCH_BACKEND) \
	  --build-arg REVISION=$(shell git describe --always --dirty 2>/dev/null || echo unknown) --tag $(IMAGE) .

image-test: repository image setup ## run the image as several users, offline, stopped and resumed; compare with a run outside it
	.venv/bin/python -m pytest -v --durations=0 tests/image.py
