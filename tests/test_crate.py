"""Metadata of bundles, read by the library of RO-Crate, which knows nothing of this project."""

import json
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

from lottery import checksum
from lottery.bundle import archive, crate
from lottery.bundle.crate import Release

FILES = {
    "params.yaml": "grid: {}", "dvc.lock": "stages: {}", "LICENSE": "Apache", "reports/report.md": "# Report",
    "reports/tables/results.csv": "a,b", "reports/figures/fan.png": "png", "scores/sst2/1/1.parquet": "rows",
    "exported/sst2/small/model.safetensors": "weights", "data/meta/sst2.json": "{}",
}  # fmt: skip


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle with one file of many kinds."""
    files = {name: tmp_path / "files" / name for name in FILES}
    for name, path in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(FILES[name])
    sums = {name: checksum.of_file(path) for name, path in files.items()}
    release = Release("1.0.0", "0123abc", "2026-11-26")
    about = crate.metadata(files, sums, "params.yaml", "SST-2; seed 1.", release)
    out = tmp_path / "bundle.zip"
    archive.write(out, files, sums, {crate.METADATA: about})
    return out


def test_every_file_is_described_and_every_reference_is_resolved(bundle: Path) -> None:
    read = ROCrate(bundle)
    files = {entity.id: entity for entity in read.get_by_type("File")}
    assert set(files) == set(FILES)
    for name, entity in files.items():
        assert entity["contentSize"] == str(len(FILES[name]))
        assert entity["encodingFormat"]
    root = read.root_dataset
    assert root["license"]["name"] == "Apache License 2.0"
    assert root["citation"]["@type"] == "ScholarlyArticle"
    assert root["mentions"]["instrument"]["version"] == "1.0.0"
    assert root["mentions"]["object"].id == "params.yaml"
    assert root["author"]["@type"] == "Organization"
    assert read.metadata["conformsTo"] == crate.PROFILE["@id"]


def test_the_library_writes_the_same_graph_again(bundle: Path, tmp_path: Path) -> None:
    ROCrate(bundle).write(tmp_path / "again")
    opened = tmp_path / "opened"
    opened.mkdir()
    archive.extract(bundle, opened)
    first, second = (
        json.loads((folder / crate.METADATA).read_text(encoding="utf-8"))["@graph"]
        for folder in (opened, tmp_path / "again")
    )
    assert by_name(first) == by_name(second)
    for name, text in FILES.items():
        assert (tmp_path / "again" / name).read_text() == text


def by_name(graph: list[dict[str, object]]) -> dict[str, dict[str, object]]:
    """Entities by their names; the root without its parts, among which the library lists those of folders too."""
    entities = {str(entity["@id"]): entity for entity in graph}
    del entities["./"]["hasPart"]
    return entities
