"""A trained ticket of the finished run as a folder for other programs: `lottery export`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import torch
from typer import Argument, Option

from lottery.data.examples import DataParameters
from lottery.errors import UserError, suggestion
from lottery.export import card, export, measured, score, task_words, trained
from lottery.export.export import Written
from lottery.export.form import Form, chosen, fitting, require_fit
from lottery.export.score import DevScore
from lottery.export.trained import TrainedModel
from lottery.model.evaluation import predict
from lottery.params import section
from lottery.tasks import get_task
from lottery.ticket import FULL
from lottery.tickets.methods import METHODS, STRUCTURED, Method
from lottery.verification.run import CellOutputs, FinishedRun
from lottery.wording import between, listed
from stages.shell import cli
from tools import folders
from tools.finished import finished_run

SPEED = Path("reports/speed.csv")
"""The table of `lottery measure`, for the card, if it is there."""

MethodName = Annotated[str, Option(help=f"Pruning method: {', '.join(METHODS)}.")]
Names = Annotated[
    str,
    Option("--forms", help="Of transformers, small, mask, onnx, int8; by default all that fit."),
]
Replace = Annotated[bool, Option("--replace", help="Replace the folder if it is an exported one.")]


def main(
    task: Annotated[str, Argument(help="Name of the task.")],
    out: Annotated[Path, Argument(help="Folder to write; new or empty.")],
    seed: Annotated[
        int | None, Option(help="Seed of the model; by default the first of retrain.kept.")
    ] = None,
    kind: Annotated[
        Literal["good", "full"], Option(help="A retrained good ticket, or the full model.")
    ] = "good",
    method: MethodName = STRUCTURED.name,
    names: Names = "",
    words: Annotated[
        Literal["whole", "task"],
        Option("--vocabulary", help="Drop words that the texts of the task do not use?"),
    ] = "whole",
    replace: Replace = False,
    data: folders.Data = Path("data"),
    encoder: folders.Encoder = Path("data/assets/encoder"),
    models: folders.Models = Path("models"),
    subnetworks: folders.Subnetworks = Path("subnetworks"),
    kept: folders.Kept = Path("tickets"),
) -> None:
    """Export a trained ticket, or the full model, as a folder for other programs.

    Writes files for transformers and onnxruntime, the tokenizer, and a model card, README.md. What these programs
    compute from the files is compared with this project on all dev examples before the folder appears.
    """
    _require_free(out, replace)
    cell = _cell(finished_run(data, encoder, models, subnetworks, kept), task, seed)
    key = FULL if kind == "full" else _method(method).good
    torch.set_num_threads(cell.run.compute.threads)
    max_length = section(DataParameters, cli.parameters()).max_length
    with cli.stage("export", str(cell), f"the {trained.noun(key)}, to {out}") as stage:
        model, full = (trained.read(cell, wanted, max_length) for wanted in (key, FULL))
        forms = chosen(names) if names else fitting(model)
        require_fit(model, forms)
        full_score = score.on_dev(cell.task, predict(full.encoder, full.dev), full.dev)
        if words == "task":
            model = task_words.reduced(model, cell)
        written = _write(model, forms, full_score, out)
        stage.result = (
            f"{between(written[0].score)}; {listed(entry.form.file for entry in written)}"
        )


def _write(
    model: TrainedModel, forms: Sequence[Form], full_score: DevScore, out: Path
) -> list[Written]:
    """Write the folder with its card; it appears complete and checked, or not at all."""
    with cli.fresh(out) as draft:
        written = export.write(model, forms, draft)
        times = measured.times(model, SPEED)
        text = card.render(model, written, full_score, times)
        (draft / "README.md").write_text(text, encoding="utf-8")
    return written


def _require_free(out: Path, replace: bool) -> None:
    """Raise UserError if `out` is there and is neither an empty folder nor an exported one to replace."""
    if replace and card.describes(out):
        return
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
        raise UserError(f"unknown method `{name}`{suggestion(name, METHODS)}")
    return METHODS[name]
