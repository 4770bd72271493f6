"""Score every subnetwork of a cell: as cut from the fine-tuned model, and re-fine-tuned under its mask.

    python -m stages.retrain sst2 1337 data/sst2 data/assets/encoder models/sst2/1337 \\
        subnetworks/sst2/1337 scores/sst2/1337.parquet
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from typer import Argument

from lottery import examples, parallel, records, subnetwork
from lottery.evaluation import majority
from lottery.parallel import Compute
from lottery.params import section
from lottery.sampling import Sampling
from lottery.scores import Score
from lottery.subnetwork import Subnetwork
from lottery.tasks import task as task_called
from lottery.training import Recipe
from lottery.trials import Measured, as_cut, retrain
from stages import cli


class Contestant(NamedTuple):
    """A subnetwork with the identity its scores carry."""

    identity: dict[str, Any]
    subnetwork: Subnetwork

    @property
    def name(self) -> str:
        return f"{self.identity['method']} {self.identity['kind']} {self.identity['draw']}"


def contestants(folder: Path, draws: int) -> Iterator[Contestant]:
    """The subnetworks of a cell, the costly ones first so that the processes end together."""
    for method in ("magnitude", "structured"):
        for name in ("good", *(f"random-{draw}" for draw in range(draws)), "bad"):
            found, identity = subnetwork.load(folder / method / f"{name}.safetensors")
            yield Contestant({k: identity[k] for k in ("method", "kind", "draw")}, found)


def main(
    task: Annotated[str, Argument(help="Name of the task.")],
    seed: Annotated[int, Argument(help="Seed of the fine-tuned model, used again.")],
    data: Annotated[Path, Argument(help="Folder of the task's encoded examples.")],
    pretrained: Annotated[Path, Argument(help="Folder of the pre-trained encoder.")],
    model: Annotated[Path, Argument(help="Folder of the fine-tuned encoder.")],
    subnetworks: Annotated[Path, Argument(help="Folder of the cell's subnetworks.")],
    out: Annotated[Path, Argument(help="Table for the scores.")],
) -> None:
    """Score every subnetwork of a cell, as cut and re-fine-tuned."""
    tree = cli.parameters()
    compute, about = section(Compute, "compute", tree), task_called(task)
    splits = {
        path.stem: examples.load(path)
        for path in sorted(data.glob("dev*.safetensors"))
    }
    entrants = list(contestants(subnetworks, section(Sampling, "sampling", tree).draws))
    jobs: dict[str, parallel.Job[Any]] = {
        entrant.name: partial(
            retrain,
            pretrained=pretrained,
            task=about,
            seed=seed,
            train=examples.load(data / "train.safetensors"),
            recipe=section(Recipe, "finetune", tree),
            compute=compute,
            subnetwork=entrant.subnetwork,
            splits=splits,
        )
        for entrant in entrants
    }
    cuts: dict[str, Subnetwork | None] = {"full": None}
    cuts |= {entrant.name: entrant.subnetwork for entrant in entrants}
    jobs["as cut"] = partial(
        as_cut, model=model, task=about, compute=compute, subnetworks=cuts, splits=splits
    )
    told = f"{len(entrants)} subnetworks, as cut and re-fine-tuned"
    with (
        cli.stage("retrain", f"{task} seed {seed}", told) as stage,
        cli.fresh_file(out) as draft,
    ):
        found = parallel.run(jobs, compute, stage.report)
        whole = {"method": "full", "kind": "full", "draw": 0}
        cut = found.pop("as cut")
        blind = {name: majority(about, split) for name, split in splits.items()}
        cell = {"task": task, "seed": seed}
        rows = [
            *_rows(cell | whole | {"kind": "majority", "state": "finetuned"}, blind, splits),
            *_rows(cell | whole | {"state": "finetuned"}, cut["full"], splits),
        ]
        for entrant in entrants:
            owner = cell | entrant.identity
            rows += _rows(owner | {"state": "pruned"}, cut[entrant.name], splits)
            rows += _rows(owner | {"state": "retrained"}, found[entrant.name], splits)
        records.write(Score, rows, draft)
        main_metric = about.metrics[0]
        stage.result = ", ".join(
            f"{name} {found[f'{name} 0']['dev'][main_metric]:.3f}"
            for name in ("structured good", "magnitude good")
        )


def _rows(
    identity: dict[str, Any], found: Measured, splits: dict[str, examples.Examples]
) -> Iterator[Score]:
    for split, metrics in found.items():
        for metric, value in metrics.items():
            yield Score(
                **identity, split=split, metric=metric, value=value, n=len(splits[split])
            )


if __name__ == "__main__":
    cli.run(main)
