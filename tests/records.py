"""Records of an experiment that never ran: plausible numbers in the formats the stages write."""

import json
from collections.abc import Iterator, Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from ruamel.yaml import YAML
from safetensors.numpy import save_file

from lottery import predictions, records
from lottery.analysis.tables import analysed_keys
from lottery.attention.descriptors import HeadProfile, State
from lottery.attention.patterns import PATTERNS, PatternAccuracy
from lottery.schemas import ImportanceRecord, Prediction, Score, StepRecord
from lottery.seeds import rng
from lottery.subnetwork import Subnetwork
from lottery.ticket import Ticket
from lottery.tickets import measurements
from lottery.tickets.methods import METHODS, Method
from lottery.tickets.parameters import ControlsParameters, RetrainParameters
from lottery.vocabulary import SUPERS
from stages import analyse
from tests import toy_masks, toy_parts, toy_predictions
from tests.project import ROOT


@dataclass(frozen=True)
class ToyExperiment:
    """An experiment whose records are made up: its grid, its encoder's shape, and what is unusual about it."""

    tasks: Sequence[str] = ("sst2", "sarcasm", "stsb")
    seeds: Sequence[int] = (1337, 42, 86)
    layers: int = 6
    heads: int = 12
    draws: int = 6
    supers: bool = True
    degenerate: Sequence[str] = ()
    unpruned: Sequence[str] = ()
    """Tasks whose searches for heads and MLPs prune nothing."""
    parts: bool = False
    """Whether it rewinds, transfers masks and trains tickets twice."""

    @property
    def controls(self) -> ControlsParameters:
        """Random draws, as many bad ones, and some at half of the weights."""
        return ControlsParameters(
            random_draws=self.draws,
            bad_draws=self.draws,
            matched=(0.5,),
            matched_draws=self.draws,
            random="exact",
            bad="unsurvived",
        )

    @property
    def retrain(self) -> RetrainParameters:
        """One draw of each kind is retrained, and good tickets from random weights with the first seed."""
        return RetrainParameters(
            draws=1,
            tickets={"structured": {"super-random": (), "super-bad": ()}},
            reinitialised=dict.fromkeys(METHODS, tuple(self.seeds[:1])),
            kept=tuple(self.seeds[:1]),
        )

    def write(self, root: Path) -> None:
        """scores/, subnetworks/, attention/ and data/ under `root`, as the pipeline leaves them."""
        (root / "data" / "patterns").mkdir(parents=True)
        accuracies = [
            PatternAccuracy(
                pattern=pattern, told=other, recogniser=8 if other == pattern else 1, rule=2
            )
            for pattern in PATTERNS
            for other in PATTERNS
        ]
        records.write(PatternAccuracy, accuracies, root / "data" / "patterns" / "told.parquet")
        for name in self.tasks:
            self._meta(name, root / "data" / "meta")
            self._attention(name, root / "attention" / name)
            for seed in self.seeds:
                self._cell(name, seed, root)

    def _cell(self, name: str, seed: int, root: Path) -> None:
        folder, generator = root / "subnetworks" / name / str(seed), rng(name, seed, "made up")
        full = 0.4 if name in self.degenerate else 0.82 + generator.normal(0, 0.006)
        planned = measurements.of_cell(seed, self.controls, self.retrain)
        if self.supers:
            planned += measurements.of_super_survivors(seed, self.controls, self.retrain)
        predicted = list(toy_predictions.predictions(name, full, planned, seed, generator))
        (tables := root / "scores" / name / str(seed)).mkdir(parents=True)
        (predicted_tables := root / "predictions" / name / str(seed)).mkdir(parents=True)
        for table, of_supers in (("1.parquet", False), ("super.parquet", True)):
            in_table = [each for each in predicted if (each.kind in SUPERS) == of_supers]
            records.write(Prediction, in_table, predicted_tables / table)
            records.write(Score, predictions.scores(in_table), tables / table)
        if self.parts:
            toy_parts.write((name, seed), full, self.tasks, tables, generator)
        steps: list[dict[str, object]] = []
        for method in METHODS.values():
            for key in analysed_keys(self.controls.matched):
                if key.method == method.name:
                    kept = toy_masks.kept(key, name, self.layers, self.heads, generator)
                    Ticket(name, seed, key, kept).save(folder)
            good = Ticket.load(folder, name, seed, method.good).subnetwork
            steps += self._search(name, method, good, generator)
        rows = [{"task": name, "seed": seed, **step} for step in steps]
        pq.write_table(
            pa.Table.from_pylist(rows, schema=records.schema(StepRecord)),
            folder / "trajectory.parquet",
        )
        importance = [
            {"task": name, "seed": seed, "method": "structured"}
            | {"unit": unit, "layer": layer, "index": head}
            | {"importance": float(generator.gamma(2, 0.1))}
            for layer in range(self.layers)
            for unit, head in [*(("heads", head) for head in range(self.heads)), ("mlps", None)]
        ]
        pq.write_table(
            pa.Table.from_pylist(importance, schema=records.schema(ImportanceRecord)),
            folder / "importance.parquet",
        )

    def _search(
        self, task: str, method: Method, good: Subnetwork, generator: np.random.Generator
    ) -> Iterator[dict[str, object]]:
        whole = method.prunes_weights
        phases = {"weights": 18} if whole else {"both": self.layers, "heads": 2, "mlps": 2}
        full = 0.82
        if task in self.unpruned and not whole:
            phases = {}
        edge, slope = (0.58, 14) if whole else (0.35, 9)
        plan = [("full", 0.0)]
        for phase, steps in phases.items():
            for at in range(1, steps + 1):
                gone = 1 - 0.9**at if whole else at / steps if phase == "both" else 0.3 + 0.02 * at
                plan.append((phase, gone))
        for number, (phase, gone) in enumerate(plan):
            score = full / (1 + np.exp(slope * (gone - edge - 0.1))) + generator.normal(0, 0.006)
            yield {
                "method": method.name, "phase": phase, "step": number, "sparsity": gone, "score": score,
                "heads": None if whole else int(self.layers * self.heads * (1 - gone)),
                "mlps": None if whole else int(self.layers * (1 - gone)),
                "weights": int(good.total * (1 - gone)) if whole else None,
                "accepted": bool(score >= 0.9 * full), "threshold": 0.9 * full, "full_score": full,
            }  # fmt: skip

    def _attention(self, name: str, folder: Path) -> None:
        folder.mkdir(parents=True)
        generator = rng(name, "gazes")
        states: dict[int | None, tuple[State, ...]] = {None: ("pretrained",)}
        states |= dict.fromkeys(self.seeds, ("finetuned", "pruned"))
        profiles = [
            head_profile(
                generator,
                task=name,
                seed=seed,
                state=state,
                weighting=weighting,
                layer=layer,
                index=head,
            )
            for seed, names in states.items()
            for state in names
            for weighting in ("raw", "normed")
            for layer in range(self.layers)
            for head in range(self.heads)
            if state != "pruned" or generator.random() < 0.6
        ]
        records.write(HeadProfile, profiles, folder / "heads.parquet")
        pictures = generator.integers(0, 256, (self.layers, self.heads, 24, 24), np.uint8)
        save_file({"pictures": pictures}, folder / "pictures.safetensors")

    def _meta(self, name: str, folder: Path) -> None:
        classes = {} if name == "stsb" else {"classes": {"0": 300, "1": 300}}
        splits = {"train": 700, "select": 200, "dev": 600} | (
            {"dev-mismatched": 550} if name == "mnli" else {}
        )
        description = {
            "task": name,
            "labels": {"mean": 2.6, "std": 1.5} if name == "stsb" else None,
            "splits": {
                split: {"examples": n, "tokens_mean": 24.5, "tokens_max": 61, "cut": 0, **classes}
                for split, n in splits.items()
            },
            "tokenizer": {
                "class": "BertTokenizer",
                "tokens": 30522,
                "first": "[CLS]",
                "last": "[SEP]",
            },
            "data": {"name": name, "notes": [f"A made-up corpus for {name}."], "parts": []},
            "encoder": {
                "name": "made-up-encoder",
                "notes": ["A made-up encoder, of which nothing can be concluded."],
                "parts": [],
            },
        }
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").write_text(json.dumps(description), encoding="utf-8")


def head_profile(generator: np.random.Generator, **owner: Any) -> HeadProfile:
    """The attention profile of a head: random shares of the patterns, random descriptors."""
    shares = dict(zip(PATTERNS, generator.dirichlet(np.ones(len(PATTERNS))).tolist(), strict=True))
    names = ("rule", "agreement", "entropy", "distance", "cls", "sep", "itself")
    numbers: dict[str, Any] = shares | {name: float(generator.random()) for name in names}
    return HeadProfile(examples=4, **owner, **numbers)


def analysed(experiment: ToyExperiment, root: Path, seeds: Sequence[int] = (), **data: Any) -> None:
    """The records of `experiment`, its parameters (with other `seeds` and `data`), tables and metrics under `root`."""
    experiment.write(root)
    tree = YAML(typ="safe").load((ROOT / "profiles" / "default.yaml").read_text(encoding="utf-8"))
    tree["grid"] |= {"tasks": list(experiment.tasks), "seeds": list(seeds or experiment.seeds)}
    tree["data"] |= data
    if experiment.parts:
        toy_parts.switch_on(tree, experiment.tasks, seeds or experiment.seeds)
    with (root / "params.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(tree, file)
    with chdir(root):
        analyse.main(
            scores=Path("scores"),
            predictions=Path("predictions"),
            subnetworks=Path("subnetworks"),
            attention=Path("attention"),
            patterns=Path("data/patterns"),
            authors=ROOT / "published",
            out=Path("reports/tables"),
            metrics=Path("reports/metrics.json"),
        )
