"""Metadata of a bundle as an RO-Crate 1.1: what every file is, by which software, from which parameters."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

METADATA = "ro-crate-metadata.json"
CONTEXT = ["https://w3id.org/ro/crate/1.1/context", {"sha256": "https://schema.org/sha256"}]
PROFILE = {"@id": "https://w3id.org/ro/crate/1.1"}
LICENCE = "https://spdx.org/licenses/Apache-2.0"
PAPER = "https://doi.org/10.18653/v1/2020.emnlp-main.259"
TYPES = {
    ".cff": "application/yaml", ".csv": "text/csv", ".html": "text/html", ".json": "application/json",
    ".lock": "application/yaml", ".md": "text/markdown", ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png", ".txt": "text/plain", ".yaml": "application/yaml", "": "text/plain",
}  # fmt: skip
"""Media types by the ending of a name; anything else is bytes."""
FOLDERS = {
    "attention": "Attention profile of every head",
    "data/assets": "Origin and terms of data and encoder",
    "data/code": "Hashes of the code of every stage",
    "data/meta": "Description of the data",
    "data/patterns": "Accuracy of the classifier of attention patterns",
    "data/tasks": "Descriptions of own tasks",
    "exported": "Exported tickets, for other programs",
    "predictions": "Logits of every model for every example",
    "published": "The authors' masks and scores",
    "reports": "Report, its tables and figures",
    "scores": "Scores of every ticket",
    "subnetworks": "Tickets: which components are kept; trajectories of the searches",
    "tickets": "Weights of retrained winning tickets",
}
"""Folders of a bundle in words."""


class Release(msgspec.Struct, frozen=True):
    """A release of a run: version and revision of the software, if they are known, and the date of publication."""

    version: str | None
    revision: str | None
    date: str


def metadata(
    files: Mapping[str, Path],
    sums: Mapping[str, str],
    parameters: str,
    about: str,
    release: Release,
) -> str:
    """The metadata of a bundle of files, by name, with their checksums.

    parameters: the file that has the run's; about: the run in a sentence.
    """
    folders = [folder for folder in FOLDERS if any(_inside(name, folder) for name in files)]
    loose = [name for name in files if not any(_inside(name, folder) for folder in folders)]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": "A run of lottery: When BERT Plays the Lottery, reproduced",
        "description": about,
        "datePublished": release.date,
        "license": {"@id": LICENCE},
        "author": {"@id": "#developers"},
        "publisher": {"@id": "#developers"},
        "citation": {"@id": PAPER},
        "hasPart": _ids([*(f"{folder}/" for folder in folders), *sorted(loose)]),
        "mentions": {"@id": "#run"},
    }
    entities = [
        {"@id": METADATA, "@type": "CreativeWork", "conformsTo": PROFILE, "about": {"@id": "./"}},
        root,
        *(_folder(folder, files) for folder in folders),
        *(_file(name, path, sums[name]) for name, path in sorted(files.items())),
        *_context(release, parameters, files),
    ]
    return (
        json.dumps({"@context": CONTEXT, "@graph": entities}, indent=2, ensure_ascii=False) + "\n"
    )


def _inside(name: str, folder: str) -> bool:
    return name.startswith(f"{folder}/")


def _ids(names: Sequence[str]) -> list[dict[str, str]]:
    return [{"@id": name} for name in names]


def _folder(folder: str, files: Mapping[str, Path]) -> dict[str, Any]:
    parts = sorted(name for name in files if _inside(name, folder))
    return {
        "@id": f"{folder}/",
        "@type": "Dataset",
        "name": FOLDERS[folder],
        "hasPart": _ids(parts),
    }


def _file(name: str, path: Path, checksum: str) -> dict[str, Any]:
    kind = TYPES.get(Path(name).suffix, "application/octet-stream")
    size = str(path.stat().st_size)
    return {
        "@id": name, "@type": "File", "name": name, "encodingFormat": kind, "contentSize": size, "sha256": checksum,
    }  # fmt: skip


def _context(release: Release, parameters: str, files: Mapping[str, Path]) -> list[dict[str, Any]]:
    """Entities that are no files: the run, its software, its authors, the paper, the licence."""
    shown = ("reports/report.md", "reports/report.html", "reports/metrics.json")
    software: dict[str, Any] = {"@id": "#lottery", "@type": "SoftwareSourceCode", "name": "lottery"}
    software["license"] = {"@id": LICENCE}
    if release.version:
        software["version"] = release.version
    if release.revision:
        software["identifier"] = release.revision
    run = {
        "@id": "#run", "@type": "CreateAction", "name": "Run of the pipeline", "instrument": {"@id": "#lottery"},
        "object": {"@id": parameters}, "result": _ids([name for name in shown if name in files]),
    }  # fmt: skip
    paper = {
        "@id": PAPER, "@type": "ScholarlyArticle", "name": "When BERT Plays the Lottery, All Tickets Are Winning",
        "author": "Sai Prasanna, Anna Rogers, Anna Rumshisky", "datePublished": "2020",
    }  # fmt: skip
    licence: dict[str, Any] = {
        "@id": LICENCE,
        "@type": "CreativeWork",
        "name": "Apache License 2.0",
    }
    licence["description"] = "Data and encoder have their own terms, stated in data/assets/."
    developers = {"@id": "#developers", "@type": "Organization", "name": "The lottery developers"}
    return [run, software, paper, licence, developers]
