"""Bundles of a finished run: the same bytes each time, opened and checked elsewhere, refused if damaged or hostile."""

import json
import re
import shutil
import stat
import subprocess
from collections.abc import Callable
from contextlib import chdir
from functools import partial
from itertools import product
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest
from ruamel.yaml import YAML

from lottery import params
from lottery.bundle import archive, crate
from lottery.errors import UserError
from lottery.seeds import rng
from lottery.ticket import Ticket
from lottery.tickets import controls
from lottery.tickets.methods import METHODS
from lottery.verification import hashes
from tests.project import ROOT, stages
from tests.records import ToyExperiment
from tests.reports import reported
from tests.workspace import digests
from tools import bundle, open_bundle

DATE = "2026-11-26"


class WithControls(ToyExperiment):
    """An experiment with all tickets that are files, controls and pre-trained ones of the size of the good ones."""

    def write(self, root: Path) -> None:
        super().write(root)
        for task, seed, method in product(self.tasks, self.seeds, METHODS.values()):
            folder = root / "subnetworks" / task / str(seed)
            for key in method.stored(self.controls, self.retrain):
                good = Ticket.load(folder, task, seed, key.good).subnetwork
                rule = controls.unsurvived if key.kind == "bad" else controls.exact
                draw = controls.pooled if method.prunes_weights else controls.by_part
                drawn = draw(good, partial(rule, rng=rng(task, seed, key.name)))
                if key.kind != "good":
                    Ticket(task, seed, key, drawn).save(folder)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run that never ran, with the lock file of a pipeline."""
    root = tmp_path_factory.mktemp("run")
    reported(WithControls(tasks=("sst2", "stsb"), seeds=(1, 2)), root)
    shutil.copy(ROOT / "dvc.yaml", root)
    for task in ("sst2", "stsb"):
        (root / "data" / "tasks").mkdir(exist_ok=True)
        (root / "data" / "tasks" / f"{task}.json").write_text("{}\n")
        (root / "data" / "assets" / task).mkdir(parents=True)
        (root / "data" / "assets" / task / "asset.json").write_text(f'{{"name": "{task}"}}\n')
    (root / "data" / "checked.json").write_text("{}\n")
    (root / "data" / "code").mkdir()
    (root / "data" / "code" / "report.txt").write_text(f"{'0' * 64}  stages/report.py\n")
    (root / "tickets" / "sst2" / "1" / "1" / "structured").mkdir(parents=True)
    (root / "tickets" / "sst2" / "1" / "1" / "structured" / "model.safetensors").write_bytes(
        b"weights"
    )
    (root / "models").mkdir()
    write_lock(root)
    return root


def write_lock(root: Path) -> None:
    """A dvc.lock that records the outputs below `root`, as far as they are there."""
    grid = params.read(root / "params.yaml")["grid"]
    entries = {}
    for name, stage in stages().items():
        axes = {
            axis: grid[values.strip("${}").split(".")[1]]
            for axis, values in stage.get("matrix", {}).items()
        }
        for cell in product(*axes.values()):
            job = "@".join(filter(None, (name, "-".join(map(str, cell)))))
            named = {f"item_{axis}": value for axis, value in zip(axes, cell, strict=True)}
            outs = [*stage.get("outs", ()), *stage.get("metrics", ())]
            paths = [out if isinstance(out, str) else next(iter(out)) for out in outs]
            paths = [Template(path.replace("item.", "item_")).substitute(named) for path in paths]
            recorded = [
                {"path": path, "md5": hashes.digest(root / path)}
                for path in paths
                if (root / path).exists()
            ]
            entries[job] = {"cmd": "", "outs": recorded}
    with (root / "dvc.lock").open("w") as file:
        YAML().dump({"schema": "2.0", "stages": entries}, file)


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
    open_bundle.main(bundled, tmp_path / "opened", check=False)
    files = {
        path.relative_to(tmp_path / "opened").as_posix(): path
        for path in (tmp_path / "opened").rglob("*")
        if path.is_file()
    }
    del files[archive.CHECKSUMS]
    metrics = files["reports/metrics.json"]
    metrics.write_text(metrics.read_text().replace("0", "1", 1))
    archive.write(tmp_path / "forged.zip", files, {})
    with pytest.raises(UserError, match="do not rely on this bundle"):
        open_bundle.main(tmp_path / "forged.zip", tmp_path / "forged")


def test_tickets_come_along_by_choice(run: Path, bundled: Path, tmp_path: Path) -> None:
    (tmp_path / "exported" / "sst2").mkdir(parents=True)
    (tmp_path / "exported" / "sst2" / "config.json").write_text("{}")
    with chdir(run):
        bundle.main(tmp_path / "all.zip", kept=True, exported=tmp_path / "exported", date=DATE)
    with ZipFile(bundled) as few, ZipFile(tmp_path / "all.zip") as all_files:
        more = set(all_files.namelist()) - set(few.namelist())
    assert more == {"tickets/sst2/1/1/structured/model.safetensors", "exported/sst2/config.json"}
    with ZipFile(bundled) as few:
        assert not [
            name for name in few.namelist() if name.startswith(("models/", "data/assets/encoder/"))
        ]


def test_an_unfinished_or_changed_run_is_refused(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    with chdir(tmp_path / "run"):
        (tmp_path / "run" / "reports" / "report.md").write_text("changed")
        with pytest.raises(UserError, match=r"reports/report\.md: not what `report` made; finish"):
            bundle.main(tmp_path / "out.zip", date=DATE)
        with pytest.raises(UserError, match="expected a date"):
            bundle._release("yesterday")
    assert not (tmp_path / "out.zip").exists()


def rewritten(old: Path, new: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The archive with changed members."""
    with ZipFile(old) as file:
        members = {name: file.read(name) for name in file.namelist()}
    change(members)
    with ZipFile(new, "w") as file:
        for name, content in members.items():
            file.writestr(ZipInfo(name), content)
    return new


def renamed(old: str, new: str) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members[new] = members.pop(old)
        members[archive.CHECKSUMS] = members[archive.CHECKSUMS].replace(old.encode(), new.encode())

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda members: members.pop("params.yaml"), "params.yaml: it is missing"),
        (lambda members: members.pop(archive.CHECKSUMS), "not a bundle, it has no checksums"),
        (lambda members: members.update({"params.yaml": b"grid: {}"}), "params.yaml: its bytes were changed"),
        (lambda members: members.update({"more.txt": b""}), "more.txt: it has no checksum"),
        (lambda members: members.update({archive.CHECKSUMS: b"abc"}), "line 1 is no checksum"),
        (lambda members: members.update({"PARAMS.yaml": b""}), "params.yaml is there more than once"),
        (lambda members: members.update({"params.yaml/x": b""}), "params.yaml is a file and a folder"),
        *((renamed("dvc.yaml", name), "is no path inside it") for name in (
            "../dvc.yaml", "/dvc.yaml", "a/../../dvc.yaml", "..\\dvc.yaml", "C:dvc.yaml", ".git/hooks/x", "a//b",
            "x\x07",
        )),
    ],
)  # fmt: skip
def test_a_hostile_or_damaged_bundle_is_refused(
    bundled: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None], message: str
) -> None:
    place = tmp_path / "inside"
    place.mkdir()
    with pytest.raises(UserError) as caught:
        open_bundle.main(rewritten(bundled, tmp_path / "x.zip", change), place / "opened")
    assert message in str(caught.value)
    assert not list(place.iterdir())
    assert {path.name for path in tmp_path.iterdir()} == {"inside", "x.zip"}


@pytest.mark.parametrize("kind", ["link", "compressed", "truncated", "text", "absent"])
def test_what_is_no_bundle_is_refused(bundled: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.zip"
    if kind == "truncated":
        path.write_bytes(bundled.read_bytes()[:-1000])
    elif kind == "text":
        path.write_text("no archive")
    elif kind != "absent":
        link = ZipInfo("evil")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        with ZipFile(path, "w") as file:
            file.writestr(archive.CHECKSUMS, "")
            if kind == "link":
                file.writestr(link, "/etc/passwd")
            else:
                file.writestr("zeros", bytes(10**6), ZIP_DEFLATED)
    with pytest.raises(UserError, match=r"^[^\n]*x\.zip: "):
        open_bundle.main(path, tmp_path / "opened")
    assert not (tmp_path / "opened").exists()


def test_damage_of_any_byte_is_noticed_or_harmless(tmp_path: Path) -> None:
    """Harmless: in what a zip file says twice, or of times."""
    archive.write(tmp_path / "whole.zip", {}, {"a/one": "first", "two": "second"})
    (tmp_path / "whole").mkdir()
    archive.extract(tmp_path / "whole.zip", tmp_path / "whole")
    whole, content = digests(tmp_path / "whole"), bytearray((tmp_path / "whole.zip").read_bytes())
    noticed = 0
    for at, flip in product(range(len(content)), (0x01, 0x55, 0xFF)):
        content[at] ^= flip
        (tmp_path / "x.zip").write_bytes(content)
        content[at] ^= flip
        with TemporaryDirectory() as opened:
            try:
                archive.extract(tmp_path / "x.zip", Path(opened))
            except UserError:
                noticed += 1
            else:
                assert digests(Path(opened)) == whole
    assert noticed > len(content)
