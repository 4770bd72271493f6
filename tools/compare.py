"""Compare the experiments of `dvc exp run` with the commit from which they started, as DVC recorded them.

python -m tools.compare reports/tables dvc.lock lottery/report/page.html reports/experiments.md reports/experiments
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from dvc.exceptions import DvcException
from dvc.repo import Repo
from matplotlib.figure import Figure
from ruamel.yaml import YAML
from typer import Argument, Option

from lottery.analysis import experiments
from lottery.analysis.experiments import Experiment
from lottery.errors import UserError
from lottery.report import comparison, html, markdown
from lottery.report.figures import experiment_curves, style
from lottery.wording import counted
from stages.shell import cli, eta


def main(
    tables: Annotated[Path, Argument(help="Folder of the tables, as git tracks it.")],
    lock: Annotated[Path, Argument(help="State of the pipeline, as git tracks it.")],
    template: Annotated[Path, Argument(help="HTML that the page is made from.")],
    out: Annotated[
        Path, Argument(help="Markdown file for the comparison; its page is written next to it.")
    ],
    pictures: Annotated[Path, Argument(help="Folder for the figure, next to the comparison.")],
    base: Annotated[str, Option(help="Commit whose experiments are compared.")] = "HEAD",
) -> None:
    """Compare the experiments of `dvc exp run` with the commit from which they started, as DVC recorded them."""
    with (
        cli.stage("compare", base, "experiments") as stage,
        cli.fresh(pictures) as folder,
        cli.fresh_file(out) as draft,
        cli.fresh_file(out.with_suffix(".html")) as page,
    ):
        commit, others, without = _recorded(base, tables, lock)
        runs = [*commit, *experiments.arranged(others)]
        if len(runs) > 1:
            style.save(_figure(runs), folder / "curves.png")
        document = comparison.compose(runs, bool(commit), without, f"{pictures.name}/curves.png")
        shown = {f"{pictures.name}/{file.name}": file.read_bytes() for file in folder.iterdir()}
        draft.write_text(markdown.render(document), encoding="utf-8")
        page.write_text(html.page(document, shown, template.read_text("utf-8")), encoding="utf-8")
        stage.result = f"{counted(len(others), 'experiment')} compared"


def _figure(runs: Sequence[Experiment]) -> Figure:
    names = [run.name for run in runs]
    return experiment_curves.overlay(experiments.ways(runs), experiments.titles(runs), names)


def _recorded(
    base: str, tables: Path, lock: Path
) -> tuple[list[Experiment], list[Experiment], dict[str, str]]:
    """Results of the commit, if any; of its experiments, oldest first; and the state of those without results."""
    committed: list[Experiment] = []
    others: list[tuple[float, Experiment]] = []
    without: dict[str, str] = {}
    try:
        with Repo() as repo:
            [commit] = repo.experiments.show(revs=[base], hide_workspace=True)
            committed += _run(repo, commit, commit.name or base, tables, lock)
            for each in commit.experiments or []:
                tip = each.revs[0]
                name = each.name or tip.rev[:7]
                # What is queued or failed carries the tables of its baseline.
                state = each.executor.state if each.executor else "success"
                results = _run(repo, tip, name, tables, lock) if state == "success" else []
                others += [(tip.data.timestamp.timestamp(), run) for run in results]
                if not results:
                    without[name] = "no tables" if state == "success" else state
    except DvcException as error:
        raise UserError(f"{base}: cannot read its experiments ({error}); name a commit") from None
    return committed, [run for _, run in sorted(others, key=lambda pair: pair[0])], without


def _run(repo: Repo, state: Any, name: str, tables: Path, lock: Path) -> list[Experiment]:
    """The results of a revision, read from git; none if a table or the lock is missing."""
    files = repo.scm.get_fs(state.rev)
    paths = {table: (tables / f"{table}.csv").as_posix() for table in experiments.TABLES}
    if not all(files.exists(path) for path in (*paths.values(), lock.as_posix())):
        return []
    tree = state.data.params[str(cli.PARAMETERS)]["data"]
    cells = eta.cells(eta.PIPELINE, tree)  # the lock also remembers those of other parameters
    locked = YAML(typ="safe").load(files.open(lock.as_posix()))["stages"]
    return [
        Experiment(
            name=name,
            revision=state.rev,
            parameters=tree,
            tables={table: pd.read_csv(files.open(path)) for table, path in paths.items()},
            stages={cell: locked[cell] for cell in cells if cell in locked},
        )
    ]


if __name__ == "__main__":
    cli.run(main)
