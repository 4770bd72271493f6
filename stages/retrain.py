"""Score every subnetwork of a cell: as cut from the fine-tuned model, and re-fine-tuned under its mask.

python -m stages.retrain sst2 1337 data/sst2 data/assets/encoder models/sst2/1337 \\
    subnetworks/sst2/1337 scores/sst2/1337.parquet
"""

from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery import contest, examples, records
from lottery.params import section
from lottery.sampling import Sampling
from lottery.scores import Score
from stages import cells, cli
from stages.journals import journal


def main(
    task: cells.Task,
    seed: cells.Seed,
    data: cells.Data,
    pretrained: cells.Pretrained,
    model: cells.Model,
    subnetworks: Annotated[Path, Argument(help="Folder of the cell's subnetworks.")],
    out: Annotated[Path, Argument(help="Table for the scores.")],
) -> None:
    """Score every subnetwork of a cell, as cut and re-fine-tuned."""
    cell = cells.cell(task, seed, data, pretrained)
    draws = section(Sampling, "sampling", cli.parameters()).draws
    competing = [contest.FULL, *contest.entrants(subnetworks, draws)]
    files = {path.stem: examples.load(path) for path in sorted(data.glob("*.safetensors"))}
    splits = {name: files[name] for name in files if name.startswith("dev")}
    select = {"select": files["select"]} if len(files["select"]) else {}
    about = f"{len(competing) - 1} subnetworks, as cut and re-fine-tuned"
    with (
        cli.stage("retrain", f"{task} seed {seed}", about) as stage,
        journal(out, data, pretrained, model, subnetworks) as notes,
        cli.fresh_file(out) as draft,
    ):
        scores = contest.blind(cell, splits)
        scores += contest.hold(cell, model, competing, splits, select, stage.report, notes)
        records.write(Score, scores, draft)
        stage.result = ", ".join(
            f"{score.method} {score.kind} {score.value:.3f}"
            for score in scores
            if (score.state, score.split, score.metric)
            == ("retrained", "dev", cell.task.metrics[0])
        )


if __name__ == "__main__":
    cli.run(main)
