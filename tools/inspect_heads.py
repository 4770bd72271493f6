"""Attention of the heads that given masks keep or prune, in one checkpoint: `lottery inspect-heads`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pandas as pd
import torch
from typer import Argument, Option

from lottery import records
from lottery.analysis import head_patterns, published_masks
from lottery.attention import classifier, profile
from lottery.attention.descriptors import HeadProfile
from lottery.attention.patterns import AttentionParameters
from lottery.data import examples
from lottery.data.examples import Examples
from lottery.errors import UserError
from lottery.grid import GridParameters
from lottery.model import checkpoint
from lottery.params import section
from lottery.runtime.compute import chosen_device
from lottery.runtime.parameters import ComputeParameters
from lottery.seeds import rng
from lottery.tasks import get_task
from lottery.ticket import Ticket
from lottery.wording import counted
from stages.shell import cli


def main(
    task: Annotated[str, Argument(help="Name of the task.")],
    model: Annotated[
        Path, Argument(help="Folder of an encoder with the layers and heads of the masks.")
    ],
    source: Annotated[
        Path, Option("--masks", help="A folder <task>/seed_<seed>/*.npy or a CSV table.")
    ] = Path("published/masks.csv"),
    # Defaults name the outputs of dvc.yaml, so that nobody has to type them.
    data: Annotated[Path, Option(help="Encoded examples, <task>/<seed>/.")] = Path("data"),
    patterns: Annotated[Path, Option(help="Folder of the pattern classifier.")] = Path(
        "data/patterns"
    ),
    out: Annotated[Path, Option(help="Folder for the tables.")] = Path("build/heads"),
) -> None:
    """Compare the attention of heads that given masks keep or prune, in one checkpoint.

    Writes heads.parquet, one row per head, map and state; attention.csv, the fractions of patterns among all heads,
    those that every seed keeps, those that none keeps, and random ones; and correlation.csv.
    """
    tree = cli.parameters()
    compute, seed = section(ComputeParameters, tree), section(GridParameters, tree).seeds[0]
    torch.set_num_threads(compute.threads)
    tickets = _tickets(source, task)
    encoder = checkpoint.load(model, get_task(task).classes, seed=0).to(chosen_device(compute))
    masked_shape, shape = tickets[0].subnetwork.shapes["heads"], encoder.config.shapes["heads"]
    if masked_shape != shape:
        raise UserError(f"{source}: masks of {masked_shape} layers and heads; {model} has {shape}")
    pattern_classifier = classifier.load(patterns / "recogniser.safetensors")
    sentences = _sample(data / task / str(seed) / "dev.safetensors", task)
    about = f"{counted(len(tickets), 'mask')}, {len(sentences)} sentences of dev"
    with cli.stage("inspect", task, about) as stage, cli.fresh(out) as draft:
        profiles = list(
            profile.observe(encoder, sentences, pattern_classifier, (task, None, "finetuned"))
        )
        for done, ticket in enumerate(tickets, 1):
            pruned = encoder.pruned(ticket.subnetwork)
            profiles += profile.observe(
                pruned, sentences, pattern_classifier, (task, ticket.seed, "pruned")
            )
            stage.report("masks", done, len(tickets))
        records.write(HeadProfile, profiles, draft / "heads.parquet")
        for name, table in _tables(draft / "heads.parquet", tickets).items():
            table.to_csv(draft / f"{name}.csv", index=False, float_format="%.12g")
        stage.result = f"{counted(len(profiles), 'attention profile')} of heads"


def _tickets(source: Path, task: str) -> list[Ticket]:
    """Tickets of the task, under its name or its title in the source. Raises UserError if there are none."""
    names = {task, get_task(task).title}
    tickets = [
        replace(ticket, task=task)
        for ticket in published_masks.read(source)
        if ticket.task in names
    ]
    if not tickets:
        raise UserError(f"{source}: has no masks of {' or '.join(sorted(names))}")
    return tickets


def _sample(dev: Path, task: str) -> Examples:
    """As many sentences as `attention.examples` says."""
    count = section(AttentionParameters, cli.parameters()).examples
    return profile.sample(examples.load(dev), count, rng("attention", task))


def _tables(profiles: Path, tickets: Sequence[Ticket]) -> dict[str, pd.DataFrame]:
    """Attention by group of heads, and its correlation with survival."""
    heads = records.read(HeadProfile, [profiles]).to_pandas()
    return {
        "attention": head_patterns.shares(heads, tickets),
        "correlation": head_patterns.correlation(heads, tickets),
    }
