"""Estimated times of the paper's experiment, from the speed of BERT-base on this machine.

    python -m benchmarks.cells times.csv

Measured are seconds per sentence of TOKENS tokens on one core: in training, in a pass with gradients at the gates, and
in prediction. The numbers of sentences are those of GLUE, the numbers of passes those of the paper.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks import project
from benchmarks.encoders import BASE, Encoders
from benchmarks.load import TASK, Load
from benchmarks.measure import Prepare, read
from lottery.data import examples as data
from lottery.data.examples import Examples

TOKENS, EPOCHS = 40, 3
STEPS = 10
"""Steps of each search: about half of all parts, a tenth per step."""
SHARE = 2
"""Tickets in each of three shares."""
SUPER = 0.36
"""Time of training a super-survivor relative to the full model, from the default run."""
SENTENCES = {
    "cola": (8551, 1043),
    "sst2": (67349, 872),
    "mrpc": (3668, 408),
    "stsb": (5749, 1500),
    "qqp": (363846, 40430),
    "mnli": (392702, 9815),
    "qnli": (104743, 5463),
    "rte": (2490, 277),
    "wnli": (635, 71),
}
"""Sizes of GLUE's train and dev splits."""


def main(out: Path, folder: Path, count: int = 64) -> None:
    """Measure, and write a row for each stage and task."""
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    data.save(_noise(count), folder / "noise.safetensors")
    base = Encoders(folder, folder, folder).base()
    load = Load(base, folder / "noise.safetensors", count, batch=32)
    rates = [_rate(work, load) for work in (project.finetune, project.importance, project.scoring)]
    lines = [f"{cell},{seconds:.0f}" for cell, seconds in _cells(*rates)]
    out.write_text("\n".join(["cell,seconds", "*,60", *lines, ""]), encoding="utf-8")
    sys.stdout.write(
        "seconds per sentence: train {:.4f}, gates {:.4f}, predict {:.4f}\n".format(*rates)
    )


def _rate(work: Prepare, load: Load) -> float:
    """Seconds per sentence, the median of three runs."""
    return float(np.median([read(work, load, 0.0)[0].cpu for _ in range(3)])) / load.count


def _cells(train: float, gates: float, predict: float) -> Iterator[tuple[str, float]]:
    for task, (train_size, dev_size) in SENTENCES.items():
        training = EPOCHS * train_size * train + dev_size * predict
        yield f"finetune@{task}-*", training
        yield f"prune@{task}-*", STEPS * dev_size * (gates + 2 * predict)
        yield f"retrain@{task}-*", SHARE * (training + dev_size * predict)
        yield f"super_survivors@{task}-*", 3 * SUPER * training


def _noise(count: int) -> Examples:
    ids = np.random.default_rng(0).integers(1, BASE.vocab_size, count * TOKENS).astype(np.int32)
    lengths, labels = np.full(count, TOKENS, np.int32), np.arange(count) % 2
    return Examples(
        TASK.name, "train", ids, np.zeros(len(ids), np.int8), lengths, labels.astype(np.float32)
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path("build/benchmarks"))
