# The experiment with all it needs: `docker build -t lottery .`, then `docker run --rm lottery`. See README.
ARG BASE_IMAGE=debian:bookworm-20250520-slim

FROM ${BASE_IMAGE} AS system
# The date of all that is made here: with the same packages and sources, two builds give the same contents.
ARG SOURCE_DATE_EPOCH=1605484800
# Debian keeps one version of a package in a release: a pin would end the build at the next security update.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git make python3 python3-venv tini \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/aux-cache /var/log/*
# Any user may be given to `docker run`: the identity and the trust in a checkout are the system's, not a home's.
RUN useradd --uid 1000 --user-group --no-create-home --home-dir /tmp lottery \
 && git config --system user.name lottery && git config --system user.email lottery@localhost \
 && git config --system --add safe.directory '*' \
 && mkdir --mode=777 /cache /lottery

FROM system AS locked
ARG TORCH_BACKEND=cpu
WORKDIR /locked
COPY Makefile requirements.txt ./
# Secrets, both optional: `ca`, the certificates of a network that signs anew; `pip`, lines as PIP_INDEX_URL=...
RUN --mount=type=secret,id=ca --mount=type=secret,id=pip \
    --mount=type=bind,source=docker/wheels,target=/wheels \
    export HOME=/tmp PIP_FIND_LINKS=/wheels PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1 \
 && if [ -s /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca PIP_CERT=/run/secrets/ca; fi \
 && if [ -s /run/secrets/pip ]; then set -a && . /run/secrets/pip && set +a; fi \
 && make setup TORCH_BACKEND="${TORCH_BACKEND}"
# A run needs neither the tools of development (moto brings cfn-lint: 37 MB) nor the packages' own tests.
RUN .venv/bin/python -m pip uninstall --quiet --yes \
    cfn-lint hypothesis moto mypy pandas-stubs pre-commit pytest ruff scipy-stubs types-tabulate uv \
 && find .venv -type d \( -name test -o -name tests -o -name __pycache__ \) -prune -exec rm -r {} + \
 && find .venv -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +
# What is imported is compiled, with the date of its source, and a package that cannot be imported ends the build.
RUN .venv/bin/python -c "import dvc.cli, dvc.repo, dvc.commands.repro, dvc.commands.experiments.run, \
    PIL, datasets, distributed, huggingface_hub, krippendorff, markdown_it, matplotlib.figure, msgspec, numpy, pandas, psutil, pyarrow.parquet, \
    rich.progress, ruamel.yaml, safetensors.torch, scipy.stats, statsmodels.stats.multitest, tabulate, torch, transformers, typer; \
    transformers.AutoTokenizer, transformers.PreTrainedTokenizerFast"

# The sources as a repository of their own, since DVC's experiments start from a commit.
FROM system AS sources
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
    PYTHONUNBUFFERED=1
WORKDIR /lottery
USER 1000:1000
# Last, so that a commit that leaves the files as they are costs no layer.
ARG REVISION=unknown
ENV LOTTERY_REVISION=${REVISION}
LABEL org.opencontainers.image.title="lottery" \
      org.opencontainers.image.description="Lottery tickets in BERT: the experiment as one DVC pipeline" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
ENTRYPOINT ["tini", "-g", "--", "entrypoint"]
CMD ["dvc", "repro"]
