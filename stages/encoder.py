"""Fetch the pre-trained encoder and its tokenizer, and inspect both.

python -m stages.encoder data/assets/encoder
"""

from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery.data import assets, pretrained
from lottery.data.parameters import EncoderParameters
from lottery.data.pins import ENCODERS
from lottery.params import section
from stages.shell import cli, places


def main(out: Annotated[Path, Argument(help="Folder for the files.")]) -> None:
    """Fetch the pre-trained encoder and its tokenizer, and inspect both."""
    checkpoint = section(EncoderParameters, cli.parameters()).checkpoint
    with cli.stage("encoder", "all", checkpoint) as stage, cli.fresh(out) as draft:
        notes = pretrained.fetch(_placed(checkpoint), draft)
        stage.result = " ".join([f"{assets.size(draft)}.", *notes]) if notes else assets.size(draft)


def _placed(checkpoint: str) -> str:
    """The place of a folder, which may be outside a copy of the project; any other name as it is."""
    folder = places.find(checkpoint)
    return str(folder) if checkpoint not in ENCODERS and folder.is_dir() else checkpoint


if __name__ == "__main__":
    cli.run(main)
