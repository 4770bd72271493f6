"""Analyse structured subnetworks found elsewhere, without model, data or training: `lottery import-masks`."""

from pathlib import Path
from typing import Annotated

import pandas as pd
from typer import Argument

from lottery.analysis import published_masks, stability, survival
from lottery.errors import UserError
from lottery.report.figures import style
from lottery.report.figures.overlap import overlap_matrices
from lottery.report.figures.survival import survival_maps
from lottery.wording import counted
from stages.shell import cli


def main(
    source: Annotated[
        Path, Argument(help="Masks: a folder <task>/seed_<seed>/*.npy or a CSV table.")
    ] = Path("published/masks.csv"),
    out: Annotated[Path, Argument(help="Folder for subnetworks, tables and figures.")] = Path(
        "build/published"
    ),
) -> None:
    """Analyse structured subnetworks found elsewhere, without model, data or training.

    Writes subnetworks/<task>/<seed>/structured/good.safetensors, stability.csv, overlap.csv, agreement.csv,
    survival.csv, survival.png and overlap.png. Tasks keep the names that the source gives them.
    """
    _check_replaceable(out, source)
    with cli.stage("import", str(source), "subnetworks and their statistics") as stage:
        tickets = published_masks.read(source)
        tasks = list(dict.fromkeys(ticket.task for ticket in tickets))
        overlap = survival.overlap(tickets, tasks)
        _, heads = tickets[0].subnetwork.shapes["heads"]
        tables = {
            "stability": stability.stability(tickets),
            "overlap": _task_pairs(overlap),
            "agreement": survival.agreement(tickets, tasks),
            "survival": survival.survival(tickets, heads),
        }
        titles = pd.DataFrame({"task": tasks, "title": tasks})
        with cli.fresh(out) as draft:
            for ticket in tickets:
                ticket.save(draft / "subnetworks" / ticket.task / str(ticket.seed))
            for name, table in tables.items():
                table.to_csv(draft / f"{name}.csv", index=False, float_format="%.12g")
            heat_map = survival_maps(tables["survival"], titles, weights=False)
            style.save(heat_map, draft / "survival.png")
            style.save(overlap_matrices(overlap, titles), draft / "overlap.png")
        stage.result = f"{counted(len(tickets), 'ticket')} of {counted(len(tasks), 'task')}"


def _check_replaceable(out: Path, source: Path) -> None:
    """Raise UserError if `out` holds the source, or files that are not those of an earlier import."""
    occupied = out.exists() and (not out.is_dir() or any(out.iterdir()))
    imported = (out / "stability.csv").is_file()
    if source.resolve().is_relative_to(out.resolve()) or (occupied and not imported):
        raise UserError(f"{out}: contains other files; give a new or empty folder")


def _task_pairs(overlap: pd.DataFrame) -> pd.DataFrame:
    """Overlap of every pair of different tasks, over the seeds that both have."""
    renamed = overlap.rename(
        columns={"mean": "shared_mean", "std": "shared_std", "expected": "shared_expected"}
    )
    different = renamed[renamed["task_a"] != renamed["task_b"]]
    return different[["task_a", "task_b", "unit", "shared_mean", "shared_std", "shared_expected"]]
