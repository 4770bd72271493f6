"""Bundles of a finished run: the same bytes each time, described for archives, opened and checked elsewhere."""

import json
import re
import shutil
import subprocess
from contextlib import chdir
from pathlib import Path
from zipfile import ZipFile

import pytest

from lottery.bundle import archive, crate
from lottery.errors import UserError
from tests import toy_bundle
from tests.workspace import Repository
from tools import bundle, open_bundle

DATE = "2026-11-26"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_bundle.finished(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def bundled(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundles") / "bundle.zip"
    with chdir(run):
        bundle.main(out, date=DATE)
    return out


def test_the_same_run_gives_the_same_bytes(run: Path, bundled: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "other place"
    shutil.copytree(run, elsewhere)
    for file in elsewhere.rglob("*"):
        file.chmod(0o700)
    (elsewhere / "scores" / "stale.parquet").touch()
    with chdir(elsewhere):
        bundle.main(tmp_path / "bundle.zip", date=DATE)
    assert (tmp_path / "bundle.zip").read_bytes() == bundled.read_bytes()


def test_checksums_are_those_of_sha256sum(bundled: Path, tmp_path: Path) -> None:
    with ZipFile(bundled) as file:
        assert file.testzip() is None
        file.extractall(tmp_path)
    subprocess.run(["sha256sum", "--check", "--quiet", archive.CHECKSUMS], cwd=tmp_path, check=True)


def test_metadata_is_an_ro_crate(bundled: Path) -> None:
    """RO-Crate 1.1: a flat graph, a descriptor, a root with its four properties; every part and reference is there."""
    with ZipFile(bundled) as file:
        names = set(file.namelist())
        about = json.loads(file.read(crate.METADATA))
    entities = {entity["@id"]: entity for entity in about["@graph"]}
    assert len(entities) == len(about["@graph"])
    assert entities[crate.METADATA]["about"] == {"@id": "./"}
    assert entities[crate.METADATA]["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert {"name", "description", "datePublished", "license"} <= entities["./"].keys()
    assert "Lottery tickets in all-MiniLM-L6-v2: sst2 and stsb" in entities["./"]["description"]
    files = {name for name, entity in entities.items() if entity["@type"] == "File"}
    assert files == names - {crate.METADATA, archive.CHECKSUMS}
    references = re.findall(r'\{"@id": "([^"]+)"\}', json.dumps(list(entities.values())))
    assert {*references} - entities.keys() <= {"https://w3id.org/ro/crate/1.1"}
    reached, pending = set[str](), ["./"]
    while pending:
        reached.add(name := pending.pop())
        pending += [part["@id"] for part in entities[name].get("hasPart", ())]
    assert files <= reached


def test_a_bundle_opens_and_its_report_comes_out_again(
    bundled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    open_bundle.main(bundled, tmp_path / "opened")
    said = capsys.readouterr().out
    assert "tables, figures and report come out again" in said
    assert "failed" not in said
    assert "note: 1 file of this code differ" in said
    with pytest.raises(UserError, match="exists already"):
        open_bundle.main(bundled, tmp_path / "opened")


def test_a_changed_record_with_new_checksums_is_noticed(bundled: Path, tmp_path: Path) -> None:
    def forge(files: dict[str, Path]) -> None:
        metrics = files["reports/metrics.json"]
        metrics.write_text(metrics.read_text().replace("0", "1", 1))

    with pytest.raises(UserError, match="do not rely on this bundle"):
        open_bundle.main(toy_bundle.forged(bundled, tmp_path, forge), tmp_path / "forged")


def test_tickets_come_along_by_choice(run: Path, bundled: Path, tmp_path: Path) -> None:
    (tmp_path / "exported" / "sst2").mkdir(parents=True)
    (tmp_path / "exported" / "sst2" / "config.json").write_text("{}")
    (tmp_path / "exported" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "exported" / ".ipynb_checkpoints" / "config.json").write_text("{}")
    with chdir(run):
        for name in ("all.zip", "again.zip"):
            bundle.main(tmp_path / name, kept=True, exported=tmp_path / "exported", date=DATE)
    content = bytearray((tmp_path / "all.zip").read_bytes())
    assert (tmp_path / "again.zip").read_bytes() == content
    with ZipFile(bundled) as few, ZipFile(tmp_path / "all.zip") as all_files:
        more = set(all_files.namelist()) - set(few.namelist())
    assert more == {"tickets/sst2/1/1/structured/model.safetensors", "exported/sst2/config.json"}
    with ZipFile(bundled) as few:
        assert not [
            name for name in few.namelist() if name.startswith(("models/", "data/assets/encoder/"))
        ]
    content[content.rindex(b"weights")] ^= 1
    (tmp_path / "damaged.zip").write_bytes(content)
    with pytest.raises(UserError, match=r"damaged\.zip: "):
        open_bundle.main(tmp_path / "damaged.zip", tmp_path / "opened")
    assert not (tmp_path / "opened").exists()


def test_an_unfinished_or_changed_run_is_refused(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    with chdir(tmp_path / "run"):
        (tmp_path / "run" / "reports" / "report.md").write_text("changed")
        with pytest.raises(UserError, match=r"reports/report\.md: not what `report` made; finish"):
            bundle.main(tmp_path / "out.zip", date=DATE)
        for date in ("yesterday", "2026-99-99", "20261126"):
            with pytest.raises(UserError, match="expected a date"):
                bundle._release(date)
    assert not (tmp_path / "out.zip").exists()


def test_a_file_is_no_folder_of_exported_tickets(run: Path, tmp_path: Path) -> None:
    with chdir(run), pytest.raises(UserError, match="no exported ticket"):
        bundle.main(tmp_path / "out.zip", exported=Path("params.yaml"), date=DATE)


def test_the_version_is_that_of_the_revision(tmp_path: Path) -> None:
    repository, revisions = Repository(tmp_path), list[str]()
    repository.run("git", "init", "-q")
    for version in ("0.1", "0.2"):
        (tmp_path / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n')
        repository.commit(version)
        revisions.append(repository.run("git", "rev-parse", "HEAD").strip())
    with chdir(tmp_path):
        assert [bundle._version(revision) for revision in revisions] == ["0.1", "0.2"]
        assert bundle._version("0" * 40) is None
        assert bundle._version(None) is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rate: 0.1", "rate: 0.2", r"`trace` ran with another value of `prune`"),
        ("seeds: [1, 2]", "seeds: [1, 2, 3]", r"ran with another value of `grid`"),
    ],
)
def test_an_older_run_is_refused_beside_other_parameters(
    run: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    shutil.copytree(run, tmp_path / "run")
    parameters = tmp_path / "run" / "params.yaml"
    text = parameters.read_text()
    assert old in text
    parameters.write_text(text.replace(old, new))
    with chdir(tmp_path / "run"), pytest.raises(UserError, match=message):
        bundle.main(tmp_path / "out.zip", date=DATE)
