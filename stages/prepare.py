"""Encode the examples of one task for every seed: train, select (held out of train for the searches) and dev.

python -m stages.prepare sst2 data/assets/sst2 data/assets/encoder data/sst2 data/meta/sst2.json
"""

import json
from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery.data import corpora, examples, glue, own_rows, splits, summary
from lottery.data.examples import DataParameters
from lottery.data.rows import Corpus, standardised
from lottery.data.tokenizer import Tokenizer
from lottery.grid import GridParameters
from lottery.params import section
from lottery.tasks import Task, get_task
from lottery.wording import counted
from stages.shell import cli


def main(
    name: Annotated[str, Argument(help="Name of the task.", metavar="TASK")],
    asset: Annotated[Path, Argument(help="Folder of the task's raw data.")],
    encoder: Annotated[Path, Argument(help="Folder of the pre-trained encoder.")],
    out: Annotated[Path, Argument(help="Folder for the encoded examples, a folder for each seed.")],
    meta: Annotated[Path, Argument(help="JSON file that describes the data for the report.")],
) -> None:
    """Encode the examples of one task for every seed: train, select (held out of train) and dev."""
    tree = cli.parameters()
    task = get_task(name)
    data, seeds = section(DataParameters, tree), section(GridParameters, tree).seeds
    about = f"encode, at most {data.max_length} tokens each"
    with (
        cli.stage("prepare", name, about) as stage,
        cli.fresh(out) as draft,
        cli.fresh_file(meta) as meta_draft,
    ):
        tokenizer = Tokenizer(encoder, data.max_length)
        corpus, labels = _read(task, data, asset), None
        if task.regression and data.standardise:
            corpus, mean, std = standardised(corpus)
            labels = {"mean": mean, "std": std}
        rows = {seed: splits.split_corpus(task, corpus, data, seed) for seed in seeds}
        for drawn in rows.values():
            splits.require_learnable(task, drawn)
        draws = dict(tokenizer.encode_draws(name, rows))
        for seed, draw in draws.items():
            (draft / str(seed)).mkdir()
            for split, (part, _) in draw.items():
                examples.save(part, draft / str(seed) / f"{split}.safetensors")
        parts = list(draws.values())
        description = summary.describe(task, parts, labels, tokenizer.identity, asset, encoder)
        meta_draft.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
        sizes = ", ".join(f"{len(part)} {split}" for split, (part, _) in parts[0].items())
        stage.result = f"{sizes}; {counted(len(seeds), 'seed')}"


def _read(task: Task, data: DataParameters, asset: Path) -> Corpus:
    """The corpus of a task that is described in the parameters, packaged, or of GLUE."""
    if task.name in data.tasks:
        return own_rows.read(task, asset)
    read = corpora.read_packaged if data.source == "packages" else glue.read_glue
    return read(task.name, asset)


if __name__ == "__main__":
    cli.run(main)
