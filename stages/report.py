"""Write the report: tables in, Markdown, figures and one page out.

python -m stages.report reports/tables data/meta attention lottery/report/page.html reports/report.md \\
    reports/figures reports/report.html reports/provenance.json
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from matplotlib.figure import Figure
from typer import Argument, Option

from lottery.analysis import frames
from lottery.errors import MALFORMED, UserError
from lottery.grid import GridParameters
from lottery.params import read_sections
from lottery.report import clauses, html, markdown, provenance, report
from lottery.report.figures import head_atlas, style
from lottery.report.figures.connectivity import connectivity_panels
from lottery.report.figures.curves import search_curves
from lottery.report.figures.fan import fan
from lottery.report.figures.forest import forest
from lottery.report.figures.overlap import overlap_matrices
from lottery.report.figures.rewinding import rewinding_panels
from lottery.report.figures.scoreboard import scoreboard
from lottery.report.figures.scores import score_panels
from lottery.report.figures.survival import survival_maps
from lottery.report.figures.transfer import transfer_matrices
from lottery.report.material import Material
from lottery.report.provenance import Provenance
from lottery.tickets.methods import METHODS, STRUCTURED
from stages.shell import cli, eta
from stages.shell.sections import SECTIONS

OF_PARTS = (
    ("rewinding", "rewinding", rewinding_panels),
    ("transfer", "transfer", transfer_matrices),
    ("connectivity", "connectivity-path", connectivity_panels),
)
"""Figures of the parts that are off by default, by name, table and function; none of a part without results."""


def main(
    tables: Annotated[Path, Argument(help="Folder of the tables of the analysis.")],
    meta: Annotated[Path, Argument(help="Folder of the descriptions of the data, <task>.json.")],
    attention: Annotated[Path, Argument(help="Folder of the heads' pictures, <task>/.")],
    template: Annotated[Path, Argument(help="HTML that the page is made from.")],
    out: Annotated[Path, Argument(help="Markdown file for the report.")],
    pictures: Annotated[Path, Argument(help="Folder for the figures, next to the report.")],
    page: Annotated[Path, Argument(help="HTML file for the report with its figures.")],
    origin: Annotated[Path, Argument(help="JSON file for the provenance that the report states.")],
    pipeline: Annotated[Path, Option(help="Pipeline, for the provenance.")] = eta.PIPELINE,
    lock: Annotated[Path, Option(help="State of the pipeline.")] = Path("dvc.lock"),
    recorded: Annotated[Path | None, Option(help="Provenance to be stated again.")] = None,
    speed: Annotated[
        Path, Option(help="Size and speed of tickets, shown if `lottery measure` wrote it.")
    ] = Path("reports/speed.csv"),
) -> None:
    """Write the report: tables in, Markdown, figures and one page out."""
    tree = cli.parameters()
    sections = read_sections(SECTIONS, tree)
    read = frames.Tables(tables)
    data = {task: _meta(meta / f"{task}.json") for task in sections[GridParameters].tasks}
    stated = provenance.load(recorded) if recorded else _provenance(pipeline, lock, tree)
    measured = frames.load(speed) if speed.exists() else None
    material = Material(read, data, sections, pictures.name, stated, measured)
    with (
        cli.stage("report", "all", f"{len(read)} tables") as stage,
        cli.fresh(pictures) as folder,
        cli.fresh_file(out) as markdown_draft,
        cli.fresh_file(page) as html_draft,
        cli.fresh_file(origin) as origin_draft,
    ):
        for name, figure in _figures(material, attention).items():
            style.save(figure, folder / f"{name}.png")
        document = report.compose(material)
        text = markdown.render(document)
        shown = {f"{pictures.name}/{file.name}": file.read_bytes() for file in folder.iterdir()}
        markdown_draft.write_text(text, encoding="utf-8")
        html_draft.write_text(html.page(document, shown, template.read_text("utf-8")), "utf-8")
        provenance.save(stated, origin_draft)
        stage.result = f"{len(text.split())} words, {len(shown)} figures"


def _figures(material: Material, attention: Path) -> dict[str, Figure]:
    """Every figure by its name."""
    tables, tasks = material.tables, material.tasks
    components, claims = tables["survival"], clauses.names(tables["verdicts"])
    figures = {
        "fan": fan(tables),
        "scoreboard": scoreboard(tables, claims),
        "forest": forest(tables["verdicts"], claims),
        "scores": score_panels(tables["cells"], tasks),
        "curves": search_curves(tables["curves"], tasks),
    }
    for name, table, draw in OF_PARTS:
        if (shown := tables.get(table)) is not None and len(shown):
            figures[name] = draw(shown, tasks)
    overlap = tables["overlap"]
    if len(at_own_size := overlap[overlap["matched"].isna()]):
        figures["overlap"] = overlap_matrices(at_own_size, tasks)
    for method in METHODS.values():
        kept = components[components["method"] == method.name]
        figures[f"survival-{method.name}"] = survival_maps(kept, tasks, method.prunes_weights)
    heads = components[(components["method"] == STRUCTURED.name) & (components["unit"] == "heads")]
    for task in frames.rows(tasks):
        maps = head_atlas.load(attention / task.task / "pictures.safetensors")
        kept = heads[heads["task"] == task.task]
        figures[f"atlas-{task.task}"] = head_atlas.atlas(maps, kept, task.title)
    return figures


def _meta(path: Path) -> dict[str, Any]:
    try:
        description: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except MALFORMED as error:
        raise UserError(
            f"{path}: no description of the data ({error}); prepare the task again"
        ) from None
    return description


def _provenance(pipeline: Path, lock: Path, tree: Mapping[str, Any]) -> Provenance:
    return provenance.gather(lock, eta.entries(cli.LOG), eta.jobs(pipeline, tree))


if __name__ == "__main__":
    cli.run(main)
