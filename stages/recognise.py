"""Train the classifier of attention maps, on maps drawn from the patterns' definitions or labelled by people.

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
from lottery.wording import counted, percent
from stages.shell import cli, places


def main(
    out: Annotated[Path, Argument(help="Folder for the classifier and its confusion matrix.")],
) -> None:
    """Train the classifier of attention maps, on maps drawn from the patterns' definitions or labelled by people."""
    tree = cli.parameters()
    attention = section(AttentionParameters, tree)
    torch.set_num_threads(section(ComputeParameters, tree).threads)
    source = f"{attention.maps} maps of each pattern, drawn"
    if attention.labelled is not None:
        source = f"the maps in {attention.labelled}"
    about = f"{source}; {counted(attention.epochs, 'epoch')}"
    with cli.stage("recognise", "all", about) as stage, cli.fresh(out) as draft:
        if attention.labelled is None:
            maps, held_out = classifier.draw_maps(attention.maps)
        else:
            labelled = annotated.read(places.find(attention.labelled))
            maps, held_out = classifier.split(labelled)
        report = partial(stage.report, "training")
        network, confusion = classifier.train(maps, held_out, attention.epochs, report)
        classifier.save(network, draft / "recogniser.safetensors")
        records.write(PatternAccuracy, confusion, draft / "told.parquet")
        correct = sum(row.recogniser for row in confusion if row.told == row.pattern)
        total = sum(row.recogniser for row in confusion)
        stage.result = f"{percent(correct / total)} of {total} held-out maps classified correctly"


if __name__ == "__main__":
    cli.run(main)
