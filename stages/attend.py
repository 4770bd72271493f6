"""See what every head attends to on a task: pre-trained, fine-tuned with each seed, and in what survives.

python -m stages.attend sst2 data/sst2 data/assets/encoder models/sst2 subnetworks/sst2 \\
    data/patterns attention/sst2
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import torch
from safetensors.numpy import save
from typer import Argument

from lottery import records
from lottery.attention import classifier, profile
from lottery.attention.descriptors import HeadProfile, State
from lottery.attention.patterns import AttentionParameters
from lottery.data import examples
from lottery.grid import GridParameters
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.params import section
from lottery.runtime.compute import chosen_device
from lottery.runtime.parameters import ComputeParameters
from lottery.seeds import rng
from lottery.tasks import get_task as task_called
from lottery.ticket import Ticket
from lottery.tickets.methods import STRUCTURED
from stages.shell import cli


def main(
    task: Annotated[str, Argument(help="Name of the task.")],
    data: Annotated[Path, Argument(help="Folder of the task's encoded examples.")],
    pretrained: Annotated[Path, Argument(help="Folder of the pre-trained encoder.")],
    models: Annotated[
        Path,
        Argument(help="Folder of the task's fine-tuned models, all seeds; or one for all seeds."),
    ],
    subnetworks: Annotated[Path, Argument(help="Folder of the task's subnetworks, all seeds.")],
    patterns: Annotated[Path, Argument(help="Folder of the network that tells patterns apart.")],
    out: Annotated[
        Path, Argument(help="Folder for what the heads do, and pictures of their maps.")
    ],
) -> None:
    """See what every head attends to on a task: pre-trained, fine-tuned with each seed, and in what survives."""
    tree = cli.parameters()
    seeds, compute = (
        section(GridParameters, tree).seeds,
        section(ComputeParameters, tree),
    )
    torch.set_num_threads(compute.threads)
    count = section(AttentionParameters, tree).examples
    dev = examples.load(data / "dev.safetensors")
    sentences = profile.sample(dev, count, rng("attention", task))
    known = classifier.load(patterns / "recogniser.safetensors")

    about = f"{len(sentences)} sentences of dev"
    with cli.stage("attend", task, about) as stage, cli.fresh(out) as draft:
        found: list[HeadProfile] = []
        for encoder, seed, state in _encoders(task, pretrained, models, subnetworks, seeds):
            encoder.to(chosen_device(compute))
            found += profile.observe(encoder, sentences, known, (task, seed, state))
            if (seed, state) == (seeds[0], "finetuned"):
                shown = profile.pictures(encoder, profile.typical(sentences), "normed")
                (draft / "pictures.safetensors").write_bytes(save({"pictures": shown}))
            stage.report("models", len(found), 0)
        records.write(HeadProfile, found, draft / "heads.parquet")
        stage.result = f"{len(found)} habits of heads"


def _encoders(
    task: str, pretrained: Path, models: Path, subnetworks: Path, seeds: Sequence[int]
) -> Iterator[tuple[Encoder, int | None, State]]:
    classes, one = task_called(task).classes, (models / "config.json").exists()
    yield checkpoint.load(pretrained, classes, seed=0), None, "pretrained"
    for seed in seeds:
        encoder = checkpoint.load(models if one else models / str(seed), classes)
        yield encoder, seed, "finetuned"
        good = Ticket.load(subnetworks / str(seed), task, seed, STRUCTURED.good)
        yield encoder.cut(good.subnetwork), seed, "pruned"


if __name__ == "__main__":
    cli.run(main)
