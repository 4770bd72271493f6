"""Learn to tell five patterns of attention apart, from maps drawn by their definitions or labelled by people.

python -m stages.recognise data/patterns
"""

from functools import partial
from pathlib import Path
from typing import Annotated

import torch
from typer import Argument

from lottery import records
from lottery.attention import annotated, classifier
from lottery.attention.patterns import AttentionParameters, PatternAccuracy
from lottery.params import section
from lottery.runtime.parameters import ComputeParameters
from lottery.wording import percent
from stages.shell import cli


def main(
    out: Annotated[Path, Argument(help="Folder for the network and how well it does.")],
) -> None:
    """Learn to tell five patterns of attention apart, from maps drawn by their definitions or labelled by people."""
    tree = cli.parameters()
    how = section(AttentionParameters, tree)
    torch.set_num_threads(section(ComputeParameters, tree).threads)
    source = f"{how.maps} of each pattern, drawn" if how.labelled is None else how.labelled
    about = f"maps: {source}; {how.epochs} epochs"
    with cli.stage("recognise", "all", about) as stage, cli.fresh(out) as draft:
        if how.labelled is None:
            maps, tried = classifier.drawn(how.maps)
        else:
            maps, tried = classifier.split(annotated.read(Path(how.labelled).expanduser()))
        report = partial(stage.report, "learning")
        model, told = classifier.train(maps, tried, how.epochs, report)
        classifier.save(model, draft / "recogniser.safetensors")
        records.write(PatternAccuracy, told, draft / "told.parquet")
        right = sum(each.recogniser for each in told if each.told == each.pattern)
        total = sum(each.recogniser for each in told)
        stage.result = f"{percent(right / total)} of {total} maps held out are recognised"


if __name__ == "__main__":
    cli.run(main)
