"""Trained tickets as folders for other programs: complete, equal to the run's models, or not there at all."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoTokenizer

from lottery.checkpoint import config
from lottery.data import examples
from lottery.data.examples import Examples
from lottery.data.rows import Row
from lottery.data.tokenizer import Tokenizer
from lottery.errors import UserError
from lottery.export import checks, trained
from lottery.export import tokenizer as files
from lottery.export.form import FORMS, INT8, TRANSFORMERS, require_fit
from lottery.export.forms import transformers
from lottery.export.ready import Logits, Ready, logits
from lottery.export.trained import TrainedModel
from lottery.model import checkpoint
from lottery.model.evaluation import predict
from lottery.ticket import FULL
from lottery.tickets.methods import STRUCTURED
from tests import toy_hub
from tests.project import ROOT
from tests.toy_run import run
from tools.export import main

ABOUT = {"labels": None, "splits": {"train": {"examples": 160}}, "data": None, "encoder": None}


@pytest.fixture
def inside(copy: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished run that has a tokenizer and a description of its data."""
    monkeypatch.chdir(copy)
    furnish(copy)
    return copy


def furnish(root: Path) -> None:
    """Add a tokenizer and a description of the data to a finished run."""
    toy_hub.tokenizer(root / "encoder")
    describe(root, ABOUT)
    parameters = (root / "params.yaml").read_text("utf-8")
    (root / "params.yaml").write_text(parameters.replace("max_length: 32", "max_length: 16"))


def describe(root: Path, about: object) -> None:
    (root / "data" / "meta").mkdir(exist_ok=True)
    (root / "data" / "meta" / "rte.json").write_text(json.dumps(about))


def export(
    out: str = "out", names: str = "transformers,small", seed: int = 1, **options: Any
) -> Path:
    main("rte", Path(out), seed, names=names, encoder=Path("encoder"), **options)
    return Path(out)


def read_by_transformers(folder: Path, dev: Examples) -> Logits:
    return logits(transformers.load(folder / TRANSFORMERS.file), dev)


CASES: Mapping[str, tuple[dict[str, Any], str]] = {
    "s-pruned": ({"method": "structured"}, "tickets/rte/1/1/structured"),
    "m-pruned": ({"method": "magnitude"}, "tickets/rte/1/1/magnitude"),
    "full": ({"kind": "full"}, "models/rte/1"),
}


@pytest.mark.parametrize("case", CASES)
def test_an_exported_model_computes_what_it_did_in_the_run(inside: Path, case: str) -> None:
    options, source = CASES[case]
    out = export(names="transformers", **options)
    dev = examples.load(Path("data/rte/1/dev.safetensors"))
    expected_NC = predict(checkpoint.load(Path(source), classes=2), dev)
    checks.require_equal("transformers", expected_NC, read_by_transformers(out, dev))


def test_a_small_encoder_reloads_here(inside: Path) -> None:
    small = checkpoint.load(export() / "small", classes=2)
    assert small.config == config.read(Path("tickets/rte/1/1/structured"))


def test_the_exported_tokenizer_is_that_of_the_experiment(inside: Path) -> None:
    pairs = [("the film was great .", "plain and awful"), ("the plots " * 20, "is it great ? " * 9)]
    tokenizer, rows = Tokenizer(inside / "encoder", 16), [Row(*pair, 0) for pair in pairs]
    expected, _ = tokenizer.encode("rte", "dev", rows)
    written = trained.read(run(inside).cells[0], FULL, max_length=16).tokenizer
    files.write(written, inside / "tokenizer")
    inputs = AutoTokenizer.from_pretrained(inside / "tokenizer")(pairs, truncation=True)
    assert [*chain(*inputs["input_ids"])] == expected.ids_T.tolist()
    assert [*chain(*inputs["token_type_ids"])] == expected.types_T.tolist()


def test_a_regression_has_the_units_of_its_corpus(inside: Path) -> None:
    [cell, _] = run(inside).cells
    plain = trained.read(cell, FULL, 16)
    describe(inside, ABOUT | {"labels": {"mean": 2.7, "std": 1.5}})
    scaled = trained.read(cell, FULL, 16)
    logits_NC = predict(scaled.encoder, scaled.dev)
    np.testing.assert_allclose(logits_NC, 1.5 * predict(plain.encoder, plain.dev) + 2.7, atol=1e-5)
    np.testing.assert_allclose(scaled.dev.labels_N, 1.5 * plain.dev.labels_N + 2.7, atol=1e-6)


def test_the_card_says_what_is_left(inside: Path) -> None:
    card = (export() / "README.md").read_text(encoding="utf-8")
    good = run(inside).cells[0].tickets()[STRUCTURED.good].subnetwork
    assert f"{good.part('heads').size} of 12 heads and {good.part('mlps').size} of 3 MLPs" in card
    assert "no runtime" not in card.lower()
    masked = (export("masked", "transformers", method="magnitude") / "README.md").read_text("utf-8")
    assert "No runtime that is maintained today" in masked


@pytest.mark.parametrize(
    ("case", "files"),
    [
        ("s-pruned", ["model.safetensors", "small", "model.onnx", "model_int8.onnx"]),
        ("m-pruned", ["model.safetensors", "mask.safetensors", "model.onnx", "model_int8.onnx"]),
        ("full", ["model.safetensors", "model.onnx", "model_int8.onnx"]),
    ],
)
def test_every_form_that_fits_is_written_and_the_code_of_the_card_reads_it(
    inside: Path, monkeypatch: pytest.MonkeyPatch, case: str, files: list[str]
) -> None:
    lenient = replace(INT8, accepted=lambda *_: True)  # the toy's dev is too small for a gate
    monkeypatch.setitem(FORMS, "int8", lenient)
    options, _ = CASES[case]
    out = export(names="", **options)
    tokenizer = {"tokenizer.json", "tokenizer_config.json"}
    assert {path.name for path in out.iterdir()} == {*files, *tokenizer, "config.json", "README.md"}
    assert len(python(out / "README.md", out).splitlines()) == len(files)


def test_the_example_of_the_readme_predicts(inside: Path) -> None:
    export("build/tickets/sst2", "small")
    assert re.search(
        r"'label': '(not_)?entailment', 'score': [01]\.", python(ROOT / "README.md", inside)
    )


def python(document: Path, folder: Path) -> str:
    """The output of the Python in a document, run in a folder."""
    blocks = re.findall(r"```python\n(.*?)```", document.read_text("utf-8"), re.DOTALL)
    command, environment = (sys.executable, "-c", "\n".join(blocks)), {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": 7}, "rte seed 7: not in this run, which has the tasks rte and the seeds 1 and 2"),
        (
            {"seed": 2},
            "rte seed 2: the run has not kept the retrained structured good ticket; add 2 to",
        ),
        ({"method": "random"}, "unknown method `random`; known: structured, magnitude"),
        ({"names": "small,int9"}, "unknown form `int9`; did you mean `int8`?"),
        ({"names": "small,"}, "unknown form ``; known: transformers, small"),
        ({"names": "tflite"}, "unknown form `tflite`; known: transformers, small"),
        ({"names": "mask"}, "the form `mask` does not fit the structured good ticket of rte"),
        ({"kind": "full", "names": "small"}, "`small` does not fit the full model of rte seed 1"),
        ({"out": "data"}, "data: is there already; give a new or empty folder"),
        ({"out": "data", "replace": True}, "data: is there already; give a new or empty folder"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    inside: Path, options: dict[str, Any], message: str
) -> None:
    before = sorted(inside.rglob("*"))
    with pytest.raises(UserError, match=re.escape(message)):
        export(**options)
    assert sorted(inside.rglob("*")) == before


def test_an_empty_ticket_is_refused(inside: Path) -> None:
    [cell, _] = run(inside).cells
    good = cell.tickets()[STRUCTURED.good]
    replace(good, subnetwork=good.subnetwork - good.subnetwork).save(Path("subnetworks/rte/1"))
    with pytest.raises(UserError, match="ticket is empty; there is nothing to export"):
        trained.read(cell, STRUCTURED.good, 16)


def test_a_form_that_computes_something_else_is_not_written(
    inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = transformers.load

    def disturbed(file: Path, model: TrainedModel) -> Ready:
        bert = load(file, model)
        return lambda examples: lambda: bert(examples)() + 1e-3

    monkeypatch.setattr(transformers, "load", disturbed)
    before = sorted(inside.rglob("*"))
    with pytest.raises(UserError, match=r"logits of transformers differ .* by up to 1\.0e-03"):
        export()
    assert sorted(inside.rglob("*")) == before


def test_a_form_that_loses_too_much_is_not_written(
    inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lossy = replace(TRANSFORMERS, accepted=lambda full, written: written > full)
    monkeypatch.setitem(FORMS, "transformers", lossy)
    with pytest.raises(UserError, match="the form `transformers` loses too much: accuracy on dev"):
        export()
    assert not Path("out").exists()


def test_packages_that_are_missing_are_named(inside: Path) -> None:
    model = trained.read(run(inside).cells[0], FULL, 16)
    form = replace(TRANSFORMERS, packages=("no_such_package",))
    with pytest.raises(UserError, match=r"needs no_such_package: .* 'lottery\[export\]'"):
        require_fit(model, [form])


def test_a_vocabulary_of_the_task_changes_no_logit(inside: Path) -> None:
    """The toy's texts use few of the words, so that some can be dropped."""
    data, model = Path("data/rte/1"), Path("tickets/rte/1/1/structured")
    for split in ("train", "select", "dev"):
        texts = examples.load(data / f"{split}.safetensors")
        examples.save(replace(texts, ids_T=texts.ids_T % 20), data / f"{split}.safetensors")
    dev = examples.load(data / "dev.safetensors")
    out = export(words="task")
    written = json.loads((out / "config.json").read_text("utf-8"))
    used = {*range(len(toy_hub.SPECIAL)), *dev.ids_T.tolist()}
    assert len(used) <= written["vocab_size"] <= 20
    card = (out / "README.md").read_text("utf-8")
    assert f"{written['vocab_size']} pieces of 50" in card
    expected_NC = predict(checkpoint.load(model, classes=2), dev)
    kept = np.unique(np.append(dev.ids_T, range(20)))[: written["vocab_size"]]
    renumbered = replace(dev, ids_T=np.searchsorted(kept, dev.ids_T).astype(np.int32))
    checks.require_equal("transformers", expected_NC, read_by_transformers(out, renumbered))
