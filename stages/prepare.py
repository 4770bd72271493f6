"""Encode the examples of one task: train, select (held out of train for the searches) and dev.

python -m stages.prepare sst2 data/assets/sst2 data/assets/encoder data/sst2 data/meta/sst2.json
"""

import json
from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery.data import corpora, examples, glue, splits, summary
from lottery.data.examples import DataParameters
from lottery.data.tokenizer import Tokenizer
from lottery.params import section
from lottery.tasks import get_task as task_called
from stages.shell import cli


def main(
    task: Annotated[str, Argument(help="Name of the task.")],
    asset: Annotated[Path, Argument(help="Folder of the task's raw data.")],
    encoder: Annotated[Path, Argument(help="Folder of the pre-trained encoder.")],
    out: Annotated[Path, Argument(help="Folder for the encoded examples.")],
    told: Annotated[Path, Argument(help="JSON file for what a report must say about them.")],
) -> None:
    """Encode the examples of one task: train, select (held out of train) and dev."""
    data = section(DataParameters, cli.parameters())
    about = f"encode, at most {data.max_length} tokens each"
    with (
        cli.stage("prepare", task, about) as stage,
        cli.fresh(out) as draft,
        cli.fresh_file(told) as description,
    ):
        tokens = Tokenizer(encoder, data.max_length)
        read = corpora.packaged if data.source == "packages" else glue.saved
        rows = splits.split_corpus(task_called(task), read(task, asset), data)
        splits.require_learnable(task_called(task), rows)
        encoded = {split: tokens.encode(task, split, each) for split, each in rows.items()}
        known = summary.describe(task_called(task), encoded, tokens.identity, asset, encoder)
        parts = {split: part for split, (part, _) in encoded.items()}
        if task_called(task).regression and data.standardise:
            parts, mean, std = examples.standardised(parts)
            known |= {"labels": {"mean": mean, "std": std}}
        for split, part in parts.items():
            examples.save(part, draft / f"{split}.safetensors")
        description.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
        stage.result = ", ".join(f"{len(part)} {split}" for split, part in parts.items())


if __name__ == "__main__":
    cli.run(main)
