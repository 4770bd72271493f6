"""Compare the experiments of `dvc exp run` with the commit they started from: `lottery compare`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from dvc.exceptions import DvcException
from dvc.repo import Repo
from matplotlib.figure import Figure
from ruamel.yaml import YAML
from typer import Option

from cluster.git import require
from lottery.analysis import experiments
from lottery.analysis.experiments import Experiment
from lottery.analysis.learning_curves import points
from lottery.errors import UserError
from lottery.report import comparison, html, markdown
from lottery.report.figures import experiment_curves, style
from lottery.report.figures.learning_curves import learning_curves
from lottery.wording import counted
from stages.shell import cli, eta


def main(
    # Defaults name the outputs of dvc.yaml, so that nobody has to type them.
    tables: Annotated[Path, Option(help="Tables of the report.")] = Path("reports/tables"),
    lock: Annotated[Path, Option(help="DVC's record of the run.")] = Path("dvc.lock"),
    out: Annotated[
        Path, Option(help="Markdown file for the comparison; its HTML page goes beside it.")
    ] = Path("reports/experiments.md"),
    pictures: Annotated[
        Path, Option("--figures", help="Folder for the figures, beside the comparison.")
    ] = Path("reports/experiments"),
    base: Annotated[str, Option(help="Commit that the experiments started from.")] = "HEAD",
) -> None:
    """Compare the experiments of `dvc exp run` with the commit they started from."""
    with (
        cli.stage("compare", base, "experiments") as stage,
        cli.fresh(pictures) as folder,
        cli.fresh_file(out) as draft,
        cli.fresh_file(out.with_suffix(".html")) as page,
    ):
        commit, others, without = _recorded(base, tables, lock)
        runs = [*commit, *experiments.in_order_of_change(others)]
        for name, figure in _figures(runs):
            style.save(figure, folder / name)
        document = comparison.compose(runs, bool(commit), without, pictures.name)
        shown = {f"{pictures.name}/{file.name}": file.read_bytes() for file in folder.iterdir()}
        draft.write_text(markdown.render(document), encoding="utf-8")
        page.write_text(
            html.page(document, shown, html.TEMPLATE.read_text("utf-8")), encoding="utf-8"
        )
        stage.result = f"{counted(len(others), 'experiment')} compared"


def _figures(runs: Sequence[Experiment]) -> Iterator[tuple[str, Figure]]:
    """The figures of the comparison with their file names."""
    if len(runs) < 2:
        return
    names, tasks = [run.name for run in runs], experiments.all_tasks(runs)
    trajectories = experiments.trajectories(runs)
    yield comparison.TRAJECTORIES, experiment_curves.overlay(trajectories, tasks, names)
    if len(curves := points(runs)):
        yield comparison.LEARNING, learning_curves(curves, tasks)


def _recorded(
    base: str, tables: Path, lock: Path
) -> tuple[list[Experiment], list[Experiment], dict[str, str]]:
    """Results of the commit, if any; of its experiments, oldest first; and the state of those without results."""
    committed: list[Experiment] = []
    others: list[tuple[float, Experiment]] = []
    without: dict[str, str] = {}
    require(Path.cwd())
    try:
        with Repo() as repo:
            [commit] = repo.experiments.show(revs=[base], hide_workspace=True)
            committed += _run(repo, commit, commit.name or base, tables, lock)
            for experiment in commit.experiments or []:
                tip = experiment.revs[0]
                name = experiment.name or tip.rev[:7]
                # A queued or failed experiment still carries the tables of its baseline.
                state = experiment.executor.state if experiment.executor else "success"
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
    inside = Path(repo.root_dir).resolve().relative_to(Path(repo.scm.root_dir).resolve())
    paths = {name: (inside / tables / f"{name}.csv").as_posix() for name in experiments.TABLES}
    record = (inside / lock).as_posix()
    if not all(files.exists(path) for path in (*paths.values(), record)):
        return []
    tree = state.data.params[str(cli.PARAMETERS)]["data"]
    optional = {name: (tables / f"{name}.csv").as_posix() for name in experiments.OPTIONAL}
    paths |= {name: path for name, path in optional.items() if files.exists(path)}
    cells = eta.jobs(eta.PIPELINE, tree)  # the lock also remembers those of other parameters
    locked = YAML(typ="safe").load(files.open(record))["stages"]
    return [
        Experiment(
            name=name,
            revision=state.rev,
            parameters=tree,
            tables={table: pd.read_csv(files.open(path)) for table, path in paths.items()},
            stages={cell: locked[cell] for cell in cells if cell in locked},
        )
    ]
