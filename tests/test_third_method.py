"""A third pruning method is one module and one record: a copy of the project gets both, and runs to the report."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from lottery.analysis import soundness
from stages import analyse
from tests.project import ROOT
from tests.toy_run import SEEDS

MODULE = '''"""r-pruning: remove single weights in a random order."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from lottery.data.examples import Examples
from lottery.model.encoder import Encoder
from lottery.model.evaluation import predict, search_score
from lottery.seeds import rng as named_rng
from lottery.subnetwork import Subnetwork
from lottery.tasks import Task
from lottery.tickets import controls
from lottery.tickets.parameters import ControlsParameters
from lottery.tickets.pruner import Counts, SearchSettings
from lottery.tickets.search import Assessment, Cut, Importance


@dataclass(frozen=True)
class RandomOrder:
    encoder: Encoder
    task: Task
    examples: Examples
    rate: float

    @classmethod
    def bind(cls, encoder: Encoder, task: Task, examples: Examples, settings: SearchSettings) -> "RandomOrder":
        return cls(encoder, task, examples, settings.prune.rate)

    @classmethod
    def step_size(cls, settings: SearchSettings, phase: str, kept: Counts, total: Counts) -> Counts:
        return {"weights": max(1, int(settings.prune.rate * kept["weights"]))}

    @cached_property
    def full(self) -> Subnetwork:
        shapes = {name: tuple(weight.shape) for name, weight in self.encoder.prunable().items()}
        return Subnetwork.full(shapes)

    @property
    def phases(self) -> Mapping[str, Cut]:
        return {"random order": self._remove_next}

    def assess(self, subnetwork: Subnetwork) -> Assessment:
        logits_NC = predict(self.encoder.pruned(subnetwork), self.examples)
        importance = {part: np.ones(shape) for part, shape in subnetwork.shapes.items()}
        return Assessment(
            search_score(self.task, logits_NC, self.examples), importance | {"heads": np.ones((3, 4))}
        )

    def random(self, good: Subnetwork, parameters: ControlsParameters, rng: np.random.Generator) -> Subnetwork:
        return controls.pooled(good, partial(controls.exact, rng=rng))

    def bad(self, good: Subnetwork, parameters: ControlsParameters, rng: np.random.Generator) -> Subnetwork:
        return controls.pooled(good, partial(controls.unsurvived, rng=rng))

    def sparsity(self, subnetwork: Subnetwork) -> float:
        return 1 - subnetwork.density

    def violation(self, good: Subnetwork) -> str | None:
        return None

    def _remove_next(self, subnetwork: Subnetwork, _: Importance) -> Subnetwork | None:
        if subnetwork.density < 0.3:
            return None
        kept = subnetwork.flat
        order = named_rng("random order", self.task.name).permutation(len(kept))
        survivors = order[kept[order]]
        kept[survivors[: max(1, int(self.rate * subnetwork.size))]] = False
        return Subnetwork.unflatten(subnetwork.shapes, kept)
'''
RECORD = """def _random_order() -> "type[Pruner]":
    from lottery.tickets.random_order import RandomOrder

    return RandomOrder


RANDOM_ORDER = Method(
    name="random-order", title="r-pruning", units=WEIGHTS, pruner=_random_order
)
METHODS: Mapping[str, Method] = {"""
RUN = """
import shutil
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

from lottery.analysis import soundness
from lottery.ticket import Key, Ticket
from lottery.tickets.methods import METHODS
from stages import analyse, report
from tests import toy_run
from tests.project import ROOT
from tests.records import ToyExperiment
from tests.test_verification import CHECKS

root = Path("run").absolute()
reinitialised = toy_run.CHANGES["reinitialised: {}"]
toy_run.CHANGES["reinitialised: {}"] = reinitialised.replace("}", ", random-order: [1]}")
toy_run.make(root)
ToyExperiment(tasks=("rte",), seeds=toy_run.SEEDS, layers=3, heads=4).write(Path("made up"))
for folder in ("attention", "data/patterns", "data/meta"):
    shutil.copytree(Path("made up") / folder, root / folder)


def findings():
    return [
        finding
        for cell in toy_run.run(root).cells
        for check in CHECKS.values()
        for finding in check(cell)
        if finding is not None
    ]


(root / "findings.txt").write_text("\\n".join(findings()))
last = [*METHODS][-1]
ticket = Ticket.load(root / "subnetworks/rte/1", "rte", 1, Key(last, "random"))
shutil.copytree(root / "subnetworks", root / "original")
replace(ticket, subnetwork=~ticket.subnetwork).save(root / "subnetworks/rte/1")
(root / "tampered.txt").write_text("\\n".join(findings()))
shutil.rmtree(root / "subnetworks")
(root / "original").rename(root / "subnetworks")
# Toy models hardly learn: without this every cell would be degenerate, and no claim would be tested.
soundness.significance_margin = lambda *_: -1.0
with chdir(root):
    folders = [
        Path(name)
        for name in ("scores", "predictions", "subnetworks", "attention", "data/patterns")
    ]
    tables, reports = Path("reports/tables"), Path("reports")
    analyse.main(*folders, ROOT / "published", tables, reports / "metrics.json")
    report.main(
        tables=tables, meta=Path("data/meta"), pipeline=ROOT / "dvc.yaml", attention=Path("attention"),
        template=ROOT / "lottery/report/page.html", out=reports / "report.md",
        pictures=reports / "figures", page=reports / "report.html",
        origin=reports / "provenance.json",
    )
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with one new module and one new record, after a toy run."""
    copy = tmp_path_factory.mktemp("third") / "project"
    copy.mkdir()
    for name in ("lottery", "stages", "tools", "cluster", "tests", "published", "profiles"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("params.yaml", "dvc.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, copy)
    (copy / "lottery/tickets/random_order.py").write_text(MODULE, encoding="utf-8")
    records = copy / "lottery/tickets/methods.py"
    text = records.read_text(encoding="utf-8")
    text = text.replace("METHODS: Mapping[str, Method] = {", RECORD)
    text = text.replace("(STRUCTURED, MAGNITUDE)}", "(STRUCTURED, MAGNITUDE, RANDOM_ORDER)}")
    records.write_text(text, encoding="utf-8")
    process = subprocess.run(
        [sys.executable, "-c", RUN], cwd=copy, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    return copy


def test_a_new_method_is_searched_gets_controls_and_is_scored_pruned_and_retrained(
    copy: Path,
) -> None:
    folder = copy / "run/subnetworks/rte/1/random-order"
    assert {path.name.removesuffix(".safetensors") for path in folder.iterdir()} == {
        "good", "good-0.5", "random-0", "random-1", "bad-0", "bad-1"
    }  # fmt: skip
    cells = pd.read_csv(copy / "run/reports/tables/cells.csv")
    of_method = cells[(cells["method"] == "random-order") & (cells["split"] == "dev")]
    assert {*zip(of_method["kind"], of_method["state"], strict=True)} == {
        *((kind, state) for kind in ("good", "random", "bad") for state in ("pruned", "retrained")),
        ("good", "reinitialised"),
    }


def test_a_new_method_is_verified(copy: Path) -> None:
    assert not (copy / "run/findings.txt").read_text()
    tampered = (copy / "run/tampered.txt").read_text()
    assert "random-order random 0 is not what seed and weights give" in tampered


def test_a_new_method_is_in_tables_report_and_metrics(copy: Path) -> None:
    tables = copy / "run/reports/tables"
    for name in ("cells", "results", "averages", "sizes", "curves", "survival", "agreement"):
        assert "random-order" in set(pd.read_csv(tables / f"{name}.csv")["method"]), name
    text = (copy / "run/reports/report.md").read_text(encoding="utf-8")
    assert "r-pruning" in text
    headline = json.loads((copy / "run/reports/metrics.json").read_text())
    assert headline["random-order"].keys() == headline["magnitude"].keys()


def test_a_new_method_changes_no_verdict_on_the_papers_claims(
    copy: Path, finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run that all tests share is the same without the method."""
    without = tmp_path / "run"
    shutil.copytree(finished_run, without)
    for folder in ("attention", "data/patterns"):
        shutil.copytree(copy / "run" / folder, without / folder)
    monkeypatch.chdir(without)
    monkeypatch.setattr(soundness, "significance_margin", lambda *_: -1.0)
    names = ("scores", "predictions", "subnetworks", "attention", "data/patterns")
    tables = Path("reports/tables")
    paths = [*map(Path, names), ROOT / "published", tables, Path("reports/metrics.json")]
    analyse.main(*paths)
    verdicts = copy / "run" / tables / "verdicts.csv"
    assert verdicts.read_bytes() == (tables / "verdicts.csv").read_bytes()
    tested = pd.read_csv(verdicts).set_index("claim")["cells"]
    assert tested["importance: mostly equally low"] == len(SEEDS)
    assert (tested > 0).sum() > len(tested) / 4
