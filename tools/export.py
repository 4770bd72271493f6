"""A trained ticket of the finished run as a folder for other programs: `lottery export`."""

from pathlib import Path
from typing import Annotated, Literal

import torch
from typer import Argument, Option

from lottery.data.examples import DataParameters
from lottery.errors import UserError
from lottery.export import card, export, formats, score, trained
from lottery.export.formats import FORMATS
from lottery.grid import GridParameters
from lottery.model.evaluation import predict
from lottery.params import section
from lottery.runtime.parameters import ComputeParameters
from lottery.tasks import get_task
from lottery.ticket import FULL
from lottery.tickets import pruning
from lottery.tickets.methods import METHODS, Method
from lottery.verification.run import CellOutputs, FinishedRun
from lottery.wording import between, listed
from stages.shell import cli


def main(
    task: Annotated[str, Argument(help="Name of the task.")],
    out: Annotated[Path, Argument(help="Folder to write; new or empty.")],
    seed: Annotated[
        int | None, Option(help="Seed of the model; by default the first that is kept.")
    ] = None,
    kind: Annotated[
        Literal["good", "full"], Option(help="A retrained good ticket, or the full model.")
    ] = "good",
    method: Annotated[
        str, Option(help=f"Pruning method of the ticket: {', '.join(METHODS)}.")
    ] = "structured",
    names: Annotated[
        str | None,
        Option(
            "--formats", help=f"Comma-separated: {', '.join(FORMATS)}; by default all that fit."
        ),
    ] = None,
    # Defaults name the outputs of dvc.yaml, so that nobody has to type them.
    data: Annotated[Path, Option(help="Encoded examples, <task>/<seed>/.")] = Path("data"),
    encoder: Annotated[Path, Option(help="Pre-trained encoder.")] = Path("data/assets/encoder"),
    models: Annotated[Path, Option(help="Fine-tuned encoders, <task>/<seed>/.")] = Path("models"),
    subnetworks: Annotated[Path, Option(help="Tickets, <task>/<seed>/.")] = Path("subnetworks"),
    kept: Annotated[
        Path, Option("--tickets", help="Retrained tickets that are kept, <task>/<seed>/<share>/.")
    ] = Path("tickets"),
) -> None:
    """Export a trained ticket, or the full model, as a folder for other programs.

    Writes files for transformers and onnxruntime, the tokenizer, and a model card, README.md. What these programs
    compute from the files is compared with this project on all dev examples before the folder appears.
    """
    _require_free(out)
    tree = cli.parameters()
    folders = (data, encoder, models, subnetworks, Path("scores"), Path("predictions"), kept)
    run = FinishedRun(
        section(GridParameters, tree),
        pruning.read_settings(tree),
        section(ComputeParameters, tree),
        *folders,
    )
    cell = _cell(run, task, seed)
    key = FULL if kind == "full" else _method(method).good
    torch.set_num_threads(run.compute.threads)
    max_length = section(DataParameters, tree).max_length
    with cli.stage("export", str(cell), f"{key.name}, to {out}") as stage:
        model = trained.read(cell, key, max_length)
        forms = formats.fitting(model) if names is None else formats.chosen(names.split(","))
        formats.require_fit(model, forms)
        whole = trained.read(cell, FULL, max_length)
        full = score.on_dev(cell.task, predict(whole.encoder, whole.dev), whole.dev)
        with cli.fresh(out) as draft:
            written = export.write(model, forms, draft)
            (draft / "README.md").write_text(card.render(model, written, full), encoding="utf-8")
        stage.result = f"{between(written[0].score)}; {listed(each.form.file for each in written)}"


def _require_free(out: Path) -> None:
    """Raise UserError if `out` is there and is not an empty folder."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out}: is there already; give a new or empty folder")


def _cell(run: FinishedRun, task: str, seed: int | None) -> CellOutputs:
    """The cell of the run. Raises UserError if the run has no such task or seed."""
    if seed is None:
        seed = next(iter(run.settings.retrain.kept), run.grid.seeds[0])
    cell = CellOutputs(run, get_task(task), seed)
    if (task, seed) not in run.grid.cells:
        seeds = listed(map(str, run.grid.seeds))
        raise UserError(
            f"{cell}: not in this run, which has the tasks {listed(run.grid.tasks)} and the seeds {seeds}"
        )
    return cell


def _method(name: str) -> Method:
    """The pruning method. Raises UserError if there is none of that name."""
    if name not in METHODS:
        raise UserError(f"unknown method `{name}`; known: {', '.join(METHODS)}")
    return METHODS[name]
