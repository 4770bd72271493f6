"""The finished run that the options of a command name."""

from pathlib import Path

from lottery.grid import GridParameters
from lottery.params import section
from lottery.runtime.parameters import ComputeParameters
from lottery.tickets import pruning
from lottery.verification.run import FinishedRun
from stages.shell import cli


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
