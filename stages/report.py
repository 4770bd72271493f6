"""Write the report: tables in, Markdown, figures and one page out.

python -m stages.report reports/tables data/meta attention lottery/report/page.html reports/report.md \\
    reports/figures reports/report.html
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from matplotlib.figure import Figure
from typer import Argument, Option

from lottery.analysis import frames
from lottery.errors import UserError
from lottery.grid import GridParameters
from lottery.params import section
from lottery.report import html, provenance, report
from lottery.report.figures import charts, head_atlas, style
from lottery.report.report import Material
from stages.shell import cli, eta

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
    meta: Annotated[Path, Argument(help="Folder of the descriptions of the data, <task>.json.")],
    attention: Annotated[Path, Argument(help="Folder of the heads' pictures, <task>/.")],
    template: Annotated[Path, Argument(help="HTML that the page is made from.")],
    out: Annotated[Path, Argument(help="Markdown file for the report.")],
    pictures: Annotated[Path, Argument(help="Folder for the figures, beside the report.")],
    page: Annotated[Path, Argument(help="HTML file: the report with its figures in it.")],
    pipeline: Annotated[Path, Option(help="The pipeline, for the provenance.")] = eta.PIPELINE,
    lock: Annotated[Path, Option(help="Its state.")] = Path("dvc.lock"),
) -> None:
    """Write the report: tables in, Markdown, figures and one page out."""
    tree = cli.parameters()
    grid, own = section(GridParameters, tree), eta.cells(pipeline, tree)
    read = {name: frames.load(tables / f"{name}.csv") for name in TABLES}
    with (
        cli.stage("report", "all", f"{len(read)} tables") as stage,
        cli.fresh(pictures) as folder,
        cli.fresh_file(out) as draft,
        cli.fresh_file(page) as paged,
    ):
        drawn = _drawn(read, attention)
        for name, figure in drawn.items():
            style.save(figure, folder / f"{name}.png")
        material = Material(
            tables=read,
            meta={task: _meta(meta / f"{task}.json") for task in grid.tasks},
            parameters=tree,
            figures={name: f"{pictures.name}/{name}.png" for name in drawn},
            provenance=provenance.gather(lock, eta.entries(cli.LOG), own),
        )
        text = report.render(material)
        shown = {
            path: (folder / Path(path).name).read_bytes() for path in material.figures.values()
        }
        draft.write_text(text, encoding="utf-8")
        paged.write_text(html.page(text, shown, template.read_text("utf-8")), encoding="utf-8")
        stage.result = f"{len(text.split())} words, {len(drawn)} figures"


def _drawn(read: Mapping[str, pd.DataFrame], attention: Path) -> dict[str, Figure]:
    """Every figure by its name."""
    tasks, survival = read["tasks"], read["survival"]
    framed = survival[(survival["method"] == "structured") & (survival["unit"] == "heads")]
    return {
        "contrasts": charts.contrasts(read["results"], read["averages"], tasks),
        "curves": charts.curves(read["curves"], tasks),
        "survival-structured": charts.survival(survival, tasks, "structured"),
        "survival-magnitude": charts.survival(survival, tasks, "magnitude"),
        "overlap": charts.overlap(read["overlap"], tasks),
    } | {
        f"atlas-{known.task}": head_atlas.atlas(
            head_atlas.load(attention / known.task / "pictures.safetensors"),
            framed[framed["task"] == known.task],
            known.title,
        )
        for known in frames.rows(tasks)
    }


def _meta(path: Path) -> dict[str, Any]:
    try:
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path}: no description of the data ({error}); prepare the task again"
        ) from None
    return known


if __name__ == "__main__":
    cli.run(main)
