"""Fetch the pre-trained encoder and its tokenizer, and inspect both.

python -m stages.encoder data/assets/encoder
"""

from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery.data import assets, pretrained
from lottery.data.parameters import EncoderParameters
from lottery.params import section
from stages.shell import cli


def main(out: Annotated[Path, Argument(help="Folder for the files.")]) -> None:
    """Fetch the pre-trained encoder and its tokenizer, and inspect both."""
    checkpoint = section(EncoderParameters, cli.parameters()).checkpoint
    with cli.stage("encoder", "all", checkpoint) as stage, cli.fresh(out) as draft:
        notes = pretrained.fetch(checkpoint, draft)
        stage.result = " ".join([f"{assets.size(draft)}.", *notes]) if notes else assets.size(draft)


if __name__ == "__main__":
    cli.run(main)
