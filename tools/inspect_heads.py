"""See what the heads that others kept attend to: their masks, one checkpoint, sentences of one task.

python -m tools.inspect_heads published/masks.csv sst2 path/to/checkpoint data/sst2 data/patterns build/look
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
from typer import Argument

from lottery import records
from lottery.analysis import head_patterns, published_masks
from lottery.attention import classifier, profile
from lottery.attention.descriptors import HeadProfile
from lottery.attention.patterns import AttentionParameters
from lottery.data import examples
from lottery.errors import UserError
from lottery.model import checkpoint
from lottery.params import section
from lottery.runtime.compute import chosen_device
from lottery.runtime.parameters import ComputeParameters
from lottery.seeds import rng
from lottery.tasks import get_task as task_called
from lottery.ticket import Ticket
from lottery.wording import counted
from stages.shell import cli


def main(
    source: Annotated[Path, Argument(help="Folder <task>/seed_<seed>/*.npy, or a CSV table.")],
    task: Annotated[str, Argument(help="Name of the task, here or in the source.")],
    model: Annotated[
        Path, Argument(help="Folder of a BERT of the masks' shape, fine-tuned or not.")
    ],
    data: Annotated[Path, Argument(help="Folder of the task's encoded examples.")],
    patterns: Annotated[Path, Argument(help="Folder of the network that tells patterns apart.")],
    out: Annotated[Path, Argument(help="Folder for the habits of heads, and the tables.")],
) -> None:
    """See what the heads that others kept attend to: their masks, one checkpoint, sentences of one task.

    Out come heads.parquet, one row per head, map and state; attention.csv, the shares of patterns among all
    heads, those that every seed keeps, those that none keeps and random ones; and correlation.csv.
    """
    tree = cli.parameters()
    count, compute = (
        section(AttentionParameters, tree).examples,
        section(ComputeParameters, tree),
    )
    torch.set_num_threads(compute.threads)
    tickets = _tickets(source, task)
    encoder = checkpoint.load(model, task_called(task).classes, seed=0).to(chosen_device(compute))
    there, here = tickets[0].subnetwork.shapes["heads"], encoder.config.shapes["heads"]
    if there != here:
        raise UserError(f"{source}: masks of {there} layers and heads; {model} has {here}")
    known = classifier.load(patterns / "recogniser.safetensors")
    dev = examples.load(data / "dev.safetensors")
    sentences = profile.sample(dev, count, rng("attention", task))
    about = f"{counted(len(tickets), 'mask')}, {len(sentences)} sentences of dev"
    with cli.stage("look", task, about) as stage, cli.fresh(out) as draft:
        found = list(profile.observe(encoder, sentences, known, (task, None, "finetuned")))
        for ticket in tickets:
            pruned = encoder.cut(ticket.subnetwork)
            found += profile.observe(pruned, sentences, known, (task, ticket.seed, "pruned"))
            stage.report("masks", len(found), 0)
        records.write(HeadProfile, found, draft / "heads.parquet")
        gazes = records.read(HeadProfile, [draft / "heads.parquet"]).to_pandas()
        renamed = [replace(ticket, task=task) for ticket in tickets]
        tables = {"attention": head_patterns.shares, "correlation": head_patterns.correlation}
        for name, made in tables.items():
            made(gazes, renamed).to_csv(draft / f"{name}.csv", index=False, float_format="%.12g")
        stage.result = f"{counted(len(found), 'habit')} of heads"


def _tickets(source: Path, task: str) -> list[Ticket]:
    names = {task, task_called(task).title}
    tickets = [ticket for ticket in published_masks.read(source) if ticket.task in names]
    if not tickets:
        raise UserError(f"{source}: has no masks of {' or '.join(sorted(names))}")
    return tickets


if __name__ == "__main__":
    cli.run(main)
