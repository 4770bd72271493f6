"""A clone of a run that was half done elsewhere reruns the jobs whose inputs are outdated, and no others."""

from pathlib import Path

import pytest

from tests.toy import Toy, distribute, text
from tests.workspace import Repository

pytestmark = pytest.mark.pipeline
PARTS = """\
stages:
  whole:
    cmd: python whole.py
    deps: [whole.py]
    params: [factor]
    outs: [out/whole]
  part:
    matrix: {item: [one, two]}
    cmd: python work.py part ${item.item} out/part/${item.item}
    deps: [work.py, "out/whole/${item.item}"]
    outs: ["out/part/${item.item}"]
"""
WHOLE = """\
import pathlib
parts = {"one": pathlib.Path("params.yaml").read_text(), "two": "always the same"}
for name, content in parts.items():
    pathlib.Path("out/whole", name).mkdir(parents=True)
    pathlib.Path("out/whole", name, "file").write_text(content)
"""


def test_clone_reruns_jobs_that_read_an_outdated_folder_of_several_jobs(
    tmp_path: Path,
) -> None:
    """Half of a changed run was done elsewhere; its files are on the remote only."""
    toy = Toy(tmp_path)
    toy.go()
    (tmp_path / "hung").touch()
    toy.run("dvc", "repro")
    toy.run("dvc", "push", "--run-cache")
    (toy.root / "params.yaml").write_text("factor: 2\n")
    clone = _clone(toy, "first")
    distribute(clone)
    assert toy.executed() == {"second@one": 1, "second@two": 1, "total@all": 1}
    assert "2" in text(clone.root / "total.txt")


def test_clone_reruns_only_jobs_whose_part_of_a_folder_is_outdated(tmp_path: Path) -> None:
    """The folder was written anew elsewhere, as by `prepare` for another grid; its files are on the remote only."""
    toy = Toy(tmp_path)
    (toy.root / "dvc.yaml").write_text(PARTS)
    (toy.root / "whole.py").write_text(WHOLE)
    toy.run("dvc", "repro")
    toy.run("dvc", "push", "--run-cache")
    (toy.root / "params.yaml").write_text("factor: 2\n")
    distribute(_clone(toy, "whole"))
    assert toy.executed() == {"part@one": 1}


def _clone(toy: Toy, stage: str) -> Repository:
    """A clone of the project, in which a stage ran with changed parameters; its files are on the remote only."""
    toy.run("dvc", "repro", stage)
    toy.run("dvc", "push", stage)
    toy.commit(f"{stage} with other parameters")
    toy.executed()
    toy.run("git", "clone", "-q", ".", str(toy.beside / "clone"))
    return Repository(toy.beside / "clone")
