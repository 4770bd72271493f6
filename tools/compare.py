"""Compare the experiments of `dvc exp run` with the commit they started from: `lottery compare`."""

from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pandas as pd
from matplotlib.figure import Figure
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from typer import Option

from cluster import refs
from cluster.git import git, line, require
from lottery.analysis import experiments
from lottery.analysis.experiments import Experiment
from lottery.analysis.learning_curves import points
from lottery.errors import MALFORMED, UserError
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
        recorded = _recorded(base, tables, lock)
        runs = [*recorded.baseline, *experiments.in_order_of_change(recorded.others)]
        for name, figure in _figures(runs):
            style.save(figure, folder / name)
        document = comparison.compose(
            runs, bool(recorded.baseline), recorded.unfinished, pictures.name
        )
        shown = {f"{pictures.name}/{file.name}": file.read_bytes() for file in folder.iterdir()}
        draft.write_text(markdown.render(document), encoding="utf-8")
        page.write_text(
            html.page(document, shown, html.TEMPLATE.read_text("utf-8")), encoding="utf-8"
        )
        stage.result = f"{counted(len(recorded.others), 'experiment')} compared"


def _figures(runs: Sequence[Experiment]) -> Iterator[tuple[str, Figure]]:
    """The figures of the comparison with their file names."""
    if len(runs) < 2:
        return
    names, tasks = [run.name for run in runs], experiments.all_tasks(runs)
    trajectories = experiments.trajectories(runs)
    yield comparison.TRAJECTORIES, experiment_curves.overlay(trajectories, tasks, names)
    if len(curves := points(runs)):
        yield comparison.LEARNING, learning_curves(curves, tasks)


class Recorded(msgspec.Struct, frozen=True):
    """Results of a commit, if any; of its experiments, oldest first; and the names of those without results."""

    baseline: list[Experiment]
    others: list[Experiment]
    unfinished: list[str]


def _recorded(base: str, tables: Path, lock: Path) -> Recorded:
    """The results of a commit and its experiments.

    Git alone is asked: DVC's own list asks the workers of its queue as well, and waits for ever for one that has died.
    """
    folder = Path.cwd()
    require(folder)
    try:
        commit = line(folder, "rev-parse", "--verify", f"{base}^{{commit}}")
    except UserError:
        raise UserError(f"{base}: no such commit") from None
    branch = line(folder, "branch", "--show-current") if base == "HEAD" else base
    baseline = _run(folder, branch or base, commit, tables, lock)
    others, unfinished = list[Experiment](), list[str]()
    for name, revision in refs.experiments(folder, commit).items():
        results = _run(folder, name, revision, tables, lock)
        others += results
        if not results:
            unfinished.append(name)
    return Recorded(baseline, others, unfinished)


def _run(folder: Path, name: str, revision: str, tables: Path, lock: Path) -> list[Experiment]:
    """The results of a revision, read from git; none if a table, the lock or a section is missing.

    Raises UserError if one is malformed.
    """

    def read(path: Path, parse: Callable[[BytesIO], Any]) -> Any:
        content = git(folder, "show", f"{revision}:./{path.as_posix()}")
        try:
            return parse(BytesIO(content))
        except (YAMLError, *MALFORMED) as error:
            raise UserError(
                f"{name}: {path} of commit {revision[:7]} is malformed: {error}; mend it, or remove the experiment"
            ) from None

    tree = git(folder, "ls-tree", "-z", "--name-only", revision, "--", str(lock), f"{tables}/")
    present = {Path(path) for path in tree.decode().split("\0")}
    wanted = {table: tables / f"{table}.csv" for table in experiments.TABLES}
    if not present.issuperset([*wanted.values(), lock]):
        return []
    optional = {table: tables / f"{table}.csv" for table in experiments.OPTIONAL}
    wanted |= {table: path for table, path in optional.items() if path in present}
    yaml = YAML(typ="safe")
    parameters = read(cli.PARAMETERS, yaml.load)
    stages = read(lock, lambda file: yaml.load(file)["stages"])
    try:  # the lock also remembers the stages of other parameters
        cells = eta.jobs(eta.PIPELINE, parameters)
    except eta.OtherParametersError:  # the experiment is of another version of the project
        return []
    return [
        Experiment(
            name=name,
            revision=revision,
            parameters=parameters,
            tables={table: read(path, pd.read_csv) for table, path in wanted.items()},
            stages={cell: stages[cell] for cell in cells if cell in stages},
        )
    ]
