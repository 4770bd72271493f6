"""Profile the attention of every head on one task: pre-trained, fine-tuned and pruned, with every seed.

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
from lottery.tasks import get_task
from lottery.ticket import Ticket
from lottery.tickets.methods import STRUCTURED
from stages.shell import cli


def main(
    task: Annotated[str, Argument(help="Name of the task.")],
    data: Annotated[Path, Argument(help="Folder of the task's encoded examples, all seeds.")],
    pretrained: Annotated[Path, Argument(help="Folder of the pre-trained encoder.")],
    models: Annotated[
        Path,
        Argument(help="Folder of the task's fine-tuned models, or of one model for all seeds."),
    ],
    subnetworks: Annotated[Path, Argument(help="Folder of the task's subnetworks, all seeds.")],
    patterns: Annotated[Path, Argument(help="Folder of the classifier of attention maps.")],
    out: Annotated[
        Path, Argument(help="Folder for the heads' profiles and pictures of their maps.")
    ],
) -> None:
    """Profile the attention of every head on one task: pre-trained, fine-tuned and pruned, with every seed."""
    tree = cli.parameters()
    seeds, compute = section(GridParameters, tree).seeds, section(ComputeParameters, tree)
    torch.set_num_threads(compute.threads)
    count = section(AttentionParameters, tree).examples
    dev = examples.load(data / str(seeds[0]) / "dev.safetensors")  # dev is the same for all seeds
    sentences = profile.sample(dev, count, rng("attention", task))
    network = classifier.load(patterns / "recogniser.safetensors")

    about = f"{len(sentences)} sentences of dev"
    with cli.stage("attend", task, about) as stage, cli.fresh(out) as draft:
        profiles: list[HeadProfile] = []
        encoders = _encoders(task, pretrained, models, subnetworks, seeds)
        for done, (encoder, seed, state) in enumerate(encoders, start=1):
            encoder.to(chosen_device(compute))
            profiles += profile.observe(encoder, sentences, network, (task, seed, state))
            if (seed, state) == (seeds[0], "finetuned"):
                pictures = profile.pictures(encoder, profile.typical(sentences), "normed")
                (draft / "pictures.safetensors").write_bytes(save({"pictures": pictures}))
            stage.report("models", done, 1 + 2 * len(seeds))
        records.write(HeadProfile, profiles, draft / "heads.parquet")
        stage.result = f"{len(profiles)} head profiles"


def _encoders(
    task: str, pretrained: Path, models: Path, subnetworks: Path, seeds: Sequence[int]
) -> Iterator[tuple[Encoder, int | None, State]]:
    """Every encoder with its seed and state; each good ticket is cut from the model of its seed."""
    classes, single_model = get_task(task).classes, (models / "config.json").exists()
    yield checkpoint.load(pretrained, classes, seed=0), None, "pretrained"
    for seed in seeds:
        encoder = checkpoint.load(models if single_model else models / str(seed), classes)
        yield encoder, seed, "finetuned"
        good = Ticket.load(subnetworks / str(seed), task, seed, STRUCTURED.good)
        yield encoder.pruned(good.subnetwork), seed, "pruned"


if __name__ == "__main__":
    cli.run(main)
