"""Write the report: tables in, Markdown and figures out.

python -m stages.report reports/tables data attention reports/report.md reports/figures
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from matplotlib.figure import Figure
from typer import Argument, Option

from lottery import atlas, canvas, figures, frames, provenance, report
from lottery.faults import Fault
from lottery.grid import Grid
from lottery.params import section
from lottery.report import Material
from stages import cli

TABLES = (
    "tasks",
    "verdicts",
    "results",
    "published",
    "averages",
    "selection",
    "survivors",
    "curves",
    "survival",
    "agreement",
    "stability",
    "importance",
    "importance-agreement",
    "overlap",
    "patterns",
    "attention",
    "attention-survival",
)


def main(
    tables: Annotated[Path, Argument(help="Folder of the tables of the analysis.")],
    data: Annotated[Path, Argument(help="Folder of the prepared data, <task>/meta.json.")],
    attention: Annotated[Path, Argument(help="Folder of the heads' pictures, <task>/.")],
    out: Annotated[Path, Argument(help="Markdown file for the report.")],
    pictures: Annotated[Path, Argument(help="Folder for the figures, beside the report.")],
    lock: Annotated[Path, Option(help="State of the pipeline, for the provenance.")] = Path(
        "dvc.lock"
    ),
) -> None:
    """Write the report: tables in, Markdown and figures out."""
    tree = cli.parameters()
    grid = section(Grid, "grid", tree)
    read = {name: frames.load(tables / f"{name}.csv") for name in TABLES}
    with (
        cli.stage("report", "all", f"{len(read)} tables") as stage,
        cli.fresh(pictures) as folder,
        cli.fresh_file(out) as draft,
    ):
        drawn = _drawn(read, attention)
        for name, figure in drawn.items():
            canvas.save(figure, folder / f"{name}.png")
        material = Material(
            tables=read,
            meta={task: _meta(data / task / "meta.json") for task in grid.tasks},
            parameters=tree,
            figures={name: f"{pictures.name}/{name}.png" for name in drawn},
            provenance=provenance.gather(lock, cli.LOG, _cells(grid)),
        )
        text = report.render(material)
        draft.write_text(text, encoding="utf-8")
        stage.result = f"{len(text.split())} words, {len(drawn)} figures"


def _cells(grid: Grid) -> set[str]:
    """What the log of the stages calls the cells of this grid, and the stages that have none."""
    seeded = {f"{task} seed {seed}" for task, seed in grid.cells}
    return {*seeded, *grid.tasks, str(cli.PARAMETERS), "encoder", "all"}


def _drawn(read: Mapping[str, pd.DataFrame], attention: Path) -> dict[str, Figure]:
    """Every figure by its name."""
    tasks, survival = read["tasks"], read["survival"]
    framed = survival[(survival["method"] == "structured") & (survival["unit"] == "heads")]
    return {
        "contrasts": figures.contrasts(read["results"], read["averages"], tasks),
        "curves": figures.curves(read["curves"], tasks),
        "survival-structured": figures.survival(survival, tasks, "structured"),
        "survival-magnitude": figures.survival(survival, tasks, "magnitude"),
        "overlap": figures.overlap(read["overlap"], tasks),
    } | {
        f"atlas-{known.task}": atlas.atlas(
            atlas.load(attention / known.task / "pictures.safetensors"),
            framed[framed["task"] == known.task],
            known.title,
        )
        for known in frames.rows(tasks)
    }


def _meta(path: Path) -> dict[str, Any]:
    try:
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Fault(
            f"{path}: no description of the data ({error}); prepare the task again"
        ) from None
    return known


if __name__ == "__main__":
    cli.run(main)
