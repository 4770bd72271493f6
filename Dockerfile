# The experiment and everything it needs: `docker build -t lottery .`, then `docker run --rm lottery`.
ARG BASE_IMAGE=debian:bookworm-20250520-slim@sha256:90522eeb7e5923ee2b871c639059537b30521272f10ca86fdbbbb2b75a8c40cd
# The date of every file: two builds from the same packages and sources have the same contents.
ARG SOURCE_DATE_EPOCH=1605484800

FROM ${BASE_IMAGE} AS system
# Not pinned: Debian keeps one version of a package, so a pin would fail after the next security update.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git make python3 python3-venv tini \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/aux-cache /var/log/*
# Identity and trust in a mounted checkout are set for the system, so that `docker run --user` works with any user.
RUN useradd --uid 1000 --user-group --no-create-home --home-dir /tmp lottery \
 && git config --system user.name lottery && git config --system user.email lottery@localhost \
 && git config --system --add safe.directory '*' \
 && mkdir --mode=777 /cache /lottery

FROM system AS locked
ARG TORCH_BACKEND=cpu
ARG SOURCE_DATE_EPOCH
WORKDIR /locked
COPY Makefile requirements.txt ./
# Optional secrets: `ca`, certificates of a proxy that intercepts TLS; `pip`, lines such as PIP_INDEX_URL=...
RUN --mount=type=secret,id=ca --mount=type=secret,id=pip \
    --mount=type=bind,source=docker/wheels,target=/wheels \
    export HOME=/tmp PIP_FIND_LINKS=/wheels PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1 \
 && if [ -s /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca PIP_CERT=/run/secrets/ca; fi \
 && if [ -s /run/secrets/pip ]; then set -a && . /run/secrets/pip && set +a; fi \
 && make .venv/ready TORCH_BACKEND="${TORCH_BACKEND}"
# The command `lottery`, which runs the sources in /lottery: those of this image or of a mounted checkout.
COPY pyproject.toml /lottery/
RUN make setup TORCH_BACKEND="${TORCH_BACKEND}" PROJECT=/lottery
# A run needs neither development tools (moto brings cfn-lint: 37 MB) nor the tests of packages.
RUN .venv/bin/python -m pip uninstall --quiet --yes \
    cfn-lint hypothesis moto mypy pandas-stubs pre-commit pytest pytest-xdist rocrate ruff scipy-stubs types-tabulate uv \
 && find .venv -type d \( -name test -o -name tests -o -name __pycache__ \) -prune -exec rm -r {} + \
 && find .venv -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +
# Compile the imported packages, after their files have their dates; the build fails if one cannot be imported.
RUN .venv/bin/python -c "import dvc.cli, dvc.repo, dvc.commands.repro, dvc.commands.experiments.run, \
    PIL, datasets, distributed, huggingface_hub, krippendorff, markdown_it, matplotlib.figure, msgspec, numpy, onnxruntime.quantization, onnxscript.ir, pandas, psutil, pyarrow.parquet, \
    rich.progress, ruamel.yaml, safetensors.torch, scipy.stats, sklearn.linear_model, sklearn.feature_extraction.text, statsmodels.stats.multitest, tabulate, tokenizers, torch, transformers, typer; \
    transformers.AutoTokenizer, transformers.PreTrainedTokenizerFast"

# The sources as a git repository with one commit, from which DVC experiments start.
FROM system AS sources
ARG SOURCE_DATE_EPOCH
WORKDIR /lottery
COPY . .
RUN git init --quiet --initial-branch=main && git add --all && git clean -dfXq \
 && GIT_AUTHOR_DATE="@${SOURCE_DATE_EPOCH} +0000" GIT_COMMITTER_DATE="@${SOURCE_DATE_EPOCH} +0000" git commit --quiet --message="the sources of this image" \
 && git config --file .dvc/config.local cache.dir /cache/dvc \
 && chmod --recursive a+rwX .

FROM system
COPY --from=locked /locked /locked
COPY --from=sources --chown=1000:1000 /lottery /lottery
COPY docker/entrypoint /usr/local/bin/entrypoint
ENV PATH=/locked/.venv/bin:$PATH \
    HOME=/tmp \
    USER=lottery \
    HF_HOME=/cache/huggingface \
    DVC_SITE_CACHE_DIR=/lottery/.dvc/tmp/site \
    OMP_WAIT_POLICY=PASSIVE \
    GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4194304:glibc.malloc.trim_threshold=268435456 \
    PYTHONUNBUFFERED=1
WORKDIR /lottery
USER 1000:1000
# Last, so that a new revision with the same files reuses all layers.
ARG REVISION=unknown
ENV LOTTERY_REVISION=${REVISION}
LABEL org.opencontainers.image.title="lottery" \
      org.opencontainers.image.description="Lottery tickets in BERT: the experiment as one DVC pipeline" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
ENTRYPOINT ["tini", "-g", "--", "entrypoint"]
CMD ["lottery", "repro"]
