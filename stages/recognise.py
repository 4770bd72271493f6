"""Learn to tell five patterns of attention apart, from maps drawn by their definitions.

python -m stages.recognise data/patterns
"""

from functools import partial
from pathlib import Path
from typing import Annotated

import torch
from typer import Argument

from lottery import recogniser, records
from lottery.parallel import Compute
from lottery.params import section
from lottery.patterns import Attending, Told
from lottery.prose import percent
from stages import cli


def main(
    out: Annotated[Path, Argument(help="Folder for the network and how well it does.")],
) -> None:
    """Learn to tell five patterns of attention apart, from maps drawn by their definitions."""
    tree = cli.parameters()
    how = section(Attending, "attention", tree)
    torch.set_num_threads(section(Compute, "compute", tree).threads)
    about = f"{how.maps} maps of each pattern, {how.epochs} epochs"
    with cli.stage("recognise", "all", about) as stage, cli.fresh(out) as draft:
        model, told = recogniser.learn(how, partial(stage.report, "learning"))
        recogniser.save(model, draft / "recogniser.safetensors")
        records.write(Told, told, draft / "told.parquet")
        right = sum(each.recogniser for each in told if each.told == each.pattern)
        total = sum(each.recogniser for each in told)
        stage.result = f"{percent(right / total)} of {total} maps held out are recognised"


if __name__ == "__main__":
    cli.run(main)
