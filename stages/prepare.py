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
from lottery.tasks import get_task
from stages.shell import cli


def main(
    name: Annotated[str, Argument(help="Name of the task.", metavar="TASK")],
    asset: Annotated[Path, Argument(help="Folder of the task's raw data.")],
    encoder: Annotated[Path, Argument(help="Folder of the pre-trained encoder.")],
    out: Annotated[Path, Argument(help="Folder for the encoded examples.")],
    meta: Annotated[Path, Argument(help="JSON file that describes the data for the report.")],
) -> None:
    """Encode the examples of one task: train, select (held out of train) and dev."""
    task, data = get_task(name), section(DataParameters, cli.parameters())
    about = f"encode, at most {data.max_length} tokens each"
    with (
        cli.stage("prepare", name, about) as stage,
        cli.fresh(out) as draft,
        cli.fresh_file(meta) as meta_draft,
    ):
        tokenizer = Tokenizer(encoder, data.max_length)
        read = corpora.read_packaged if data.source == "packages" else glue.read_glue
        rows = splits.split_corpus(task, read(name, asset), data)
        splits.require_learnable(task, rows)
        encoded = {split: tokenizer.encode(name, split, part) for split, part in rows.items()}
        description = summary.describe(task, encoded, tokenizer.identity, asset, encoder)
        parts = {split: part for split, (part, _) in encoded.items()}
        if task.regression and data.standardise:
            parts, mean, std = examples.standardised(parts)
            description |= {"labels": {"mean": mean, "std": std}}
        for split, part in parts.items():
            examples.save(part, draft / f"{split}.safetensors")
        meta_draft.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
        stage.result = ", ".join(f"{len(part)} {split}" for split, part in parts.items())


if __name__ == "__main__":
    cli.run(main)
