"""Analyse structured subnetworks that others found: no model, no data, no training.

python -m tools.import_masks published/masks.csv build/published
"""

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
    source: Annotated[Path, Argument(help="Folder <task>/seed_<seed>/*.npy, or a CSV table.")],
    out: Annotated[Path, Argument(help="Folder for subnetworks, tables and figures.")],
) -> None:
    """Analyse structured subnetworks that others found: no model, no data, no training.

    Out come subnetworks/<task>/<seed>/structured/good.safetensors, and stability.csv, overlap.csv, agreement.csv,
    survival.csv, survival.png and overlap.png. Tasks keep the names their source gives them.
    """
    _guard(source, out)
    with cli.stage("import", str(source), "subnetworks and their statistics") as stage:
        tickets = published_masks.read(source)
        tasks = list(dict.fromkeys(ticket.task for ticket in tickets))
        overlap = survival.overlap(tickets, tasks)
        _, heads = tickets[0].subnetwork.shapes["heads"]
        tables = {
            "stability": stability.stability(tickets),
            "overlap": _pairs(overlap),
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


def _guard(source: Path, out: Path) -> None:
    """Nothing but an earlier import is ever replaced, least of all the source itself."""
    occupied = out.exists() and (not out.is_dir() or any(out.iterdir()))
    if source.resolve().is_relative_to(out.resolve()) or (
        occupied and not (out / "stability.csv").is_file()
    ):
        raise UserError(f"{out}: holds files of another kind; give a new or empty folder")


def _pairs(overlap: pd.DataFrame) -> pd.DataFrame:
    """Every two different tasks, over the seeds that both have."""
    named = overlap.rename(
        columns={"mean": "shared_mean", "std": "shared_std", "expected": "shared_expected"}
    )
    different = named[named["task_a"] != named["task_b"]]
    return different[["task_a", "task_b", "unit", "shared_mean", "shared_std", "shared_expected"]]


if __name__ == "__main__":
    cli.run(main)
