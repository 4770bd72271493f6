"""Size, speed and loyalty of trained models in the programs that run them, as a table.

Legend for array suffixes: N examples, C classes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from lottery.data.examples import Examples
from lottery.export import loyalty, ready, timing
from lottery.export.form import INT8, ONNX, SMALL, TRANSFORMERS, Form
from lottery.export.ready import Logits, Ready
from lottery.export.size import size
from lottery.export.trained import TrainedModel
from lottery.predictions import measure
from lottery.ticket import FULL

LOTTERY = "lottery"
PROGRAMS: Mapping[str, Form] = {
    LOTTERY: SMALL,
    "transformers": TRANSFORMERS,
    "onnxruntime": ONNX,
    "int8": INT8,
}
"""The programs whose speed is measured, and the form that each of them reads."""
BATCHES = (1, 32)
"""Numbers of examples that are computed at once."""


def table(
    models: Sequence[TrainedModel],
    folder: Path,
    rounds: int,
    report: Callable[[int], None] = lambda _: None,
) -> pd.DataFrame:
    """The full model of a cell and its tickets, in every program, with batches of every size: a row each.

    Times are of batches of median length; `tokens` and `multiply_adds` are those of one such example. `bytes` is the
    size of the file of the weights. `score`, on dev, is in the task's first metric. Loyalty is to the full model in
    this project. The models are written into `folder`; `report` is told how many rounds are done.
    """
    dev, example = models[0].dev, of_median_length(models[0].dev, 1)
    loaded = {
        (model.key, program): _written(model, form, folder / model.key.name)
        for model in models
        for program, form in PROGRAMS.items()
    }
    sizes = {model.key: asdict(size(model, example)) for model in models}
    logits = {pair: ready.logits(written, dev) for pair, written in loaded.items()}
    calls = {
        (*pair, batch): written(of_median_length(dev, batch))
        for pair, written in loaded.items()
        for batch in BATCHES
    }
    times = timing.in_turns(calls, rounds, report)
    return pd.DataFrame(
        {"task": model.task.name, "seed": model.seed, "method": model.key.method}
        | {"kind": model.key.kind, "program": program, "batch": batch}
        | {"tokens": int(example.lengths_N[0])}
        | sizes[model.key]
        | {"bytes": (folder / model.key.name / form.file).stat().st_size}
        | _quality(model, logits[FULL, LOTTERY], logits[model.key, program])
        | asdict(times[model.key, program, batch])
        | {"rounds": rounds}
        for model in models
        for program, form in PROGRAMS.items()
        for batch in BATCHES
    )


def of_median_length(examples: Examples, count: int) -> Examples:
    """The examples in the middle of all, ordered by their length."""
    order = np.argsort(examples.lengths_N, kind="stable")
    first = max(0, (len(order) - count) // 2)
    return examples.take(order[first : first + count])


def _written(model: TrainedModel, form: Form, folder: Path) -> Ready:
    """The model as the form's reader has it from a folder."""
    folder.mkdir(exist_ok=True)
    form.write(model, folder)
    return form.load(folder, model)


def _quality(model: TrainedModel, full_NC: Logits, logits_NC: Logits) -> dict[str, float]:
    """Score on dev in the task's first metric, and loyalty to the full model."""
    task = model.task
    return {
        "score": measure(task, model.dev.split, logits_NC, model.dev.labels_N)[task.metrics[0]],
        "label_loyalty": loyalty.of_labels(task, full_NC, logits_NC),
        "probability_loyalty": loyalty.of_probabilities(task, full_NC, logits_NC),
    }
