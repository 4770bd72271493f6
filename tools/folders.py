"""Options of commands that read a finished run, and the run that they name.

Their defaults name the outputs of dvc.yaml, so that nobody has to type them.
"""

from pathlib import Path
from typing import Annotated

from typer import Option

from lottery.grid import GridParameters
from lottery.params import section
from lottery.runtime.parameters import ComputeParameters
from lottery.tickets import pruning
from lottery.verification.run import FinishedRun
from stages.shell import cli

Data = Annotated[Path, Option(help="Encoded examples, <task>/<seed>/.")]
Encoder = Annotated[Path, Option(help="Pre-trained encoder.")]
Models = Annotated[Path, Option(help="Fine-tuned encoders, <task>/<seed>/.")]
Subnetworks = Annotated[Path, Option(help="Masks of the tickets, <task>/<seed>/.")]
Scores = Annotated[Path, Option(help="Score tables, <task>/<seed>/.")]
Predictions = Annotated[Path, Option(help="Prediction tables, <task>/<seed>/.")]
Kept = Annotated[
    Path, Option("--tickets", help="Retrained tickets that are kept, <task>/<seed>/<share>/.")
]


def finished_run(
    data: Path,
    encoder: Path,
    models: Path,
    subnetworks: Path,
    kept: Path,
    scores: Path = Path("scores"),
    predictions: Path = Path("predictions"),
) -> FinishedRun:
    """The run of params.yaml with its outputs in these folders."""
    tree = cli.parameters()
    return FinishedRun(
        grid=section(GridParameters, tree),
        settings=pruning.read_settings(tree),
        compute=section(ComputeParameters, tree),
        data=data,
        encoder=encoder,
        models=models,
        subnetworks=subnetworks,
        scores=scores,
        predictions=predictions,
        kept=kept,
    )
