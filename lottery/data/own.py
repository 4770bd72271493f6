"""Rows of an own task: fetched from where its description says, checked, divided, and saved."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from lottery import checksum
from lottery.data import own_rows, usable
from lottery.data.assets import describe
from lottery.data.description import TaskDescription
from lottery.data.splits import divide
from lottery.data.tables import Table, read_folder, read_hub, read_table
from lottery.data.usable import LeftOut, Placed
from lottery.errors import UserError
from lottery.tasks import Task
from lottery.wording import listed, percent

LEFT_OUT = "left_out.csv"


def fetch(task: Task, description: TaskDescription, out: Path) -> str:
    """Save the usable rows of the task into the folder `out`. Returns how many there are, and what was left out.

    Raises UserError if the data cannot be read, a table has no usable row, or train lacks a class.
    """
    tables = _tables(description)
    judged = {split: usable.usable(description, table) for split, table in tables.items()}
    for split, (used, refused) in judged.items():
        if not used:
            first = f"; {refused[0]}" if refused else ""
            raise UserError(f"{tables[split].name}: no usable row{first}")
    left_out = [row for _, refused in judged.values() for row in refused]
    placed = {split: used for split, (used, _) in judged.items()}
    rows, shared = _divided(task, description, placed)
    left_out += shared
    _require_classes(task, rows["train"], tables["train"].name)
    for split, part in rows.items():
        own_rows.write([row for _, row in part], out / f"{split}.parquet")
    usable.write(left_out, out / LEFT_OUT)
    facts = [_sizes(task, rows), _left_out(left_out)]
    _describe(task, description, [*_division(description, tables), *facts], left_out, out)
    return "; ".join(facts)


def _tables(description: TaskDescription) -> dict[str, Table]:
    """The table of every split that the description names."""
    columns, splits = description.columns, description.splits
    if description.hub is not None:
        repository = (description.hub, description.config, description.revision)
        return {
            split: read_hub(*repository, name, columns) for split, name in (splits or {}).items()
        }
    paths = description.paths
    if splits is not None:
        return {split: read_folder(paths["train"], name, columns) for split, name in splits.items()}
    return {split: read_table(path, columns, description.quotes) for split, path in paths.items()}


def _divided(
    task: Task, description: TaskDescription, rows: Mapping[str, list[Placed]]
) -> tuple[dict[str, list[Placed]], list[LeftOut]]:
    """Train and all dev splits without what train repeats or shares with them, and what that leaves out."""
    train, repeated = usable.without_repeats(rows["train"])
    others = {split: placed for split, placed in rows.items() if split != "train"}
    train, shared = usable.without_shared(train, others)
    if not train:
        raise UserError(f"{shared[0]}; nothing else is left for train")
    if "dev" not in others:
        places = {row[:2]: place for place, row in train}
        halves = divide(task, [row for _, row in train], description.dev_share, description.draw)
        train, others["dev"] = ([(places[row[:2]], row) for row in half] for half in halves)
        if not train:
            raise UserError(f"{task.name}: all rows are of one group; none is left for train")
    return {"train": train, **dict(sorted(others.items()))}, repeated + shared


def _require_classes(task: Task, train: Sequence[Placed], name: str) -> None:
    counts = Counter(row.label for _, row in train)
    for at, label in enumerate(task.labels):
        if not counts[at]:
            raise UserError(f"{name}: no usable row of train has the class `{label}`")


def _sizes(task: Task, rows: Mapping[str, Sequence[Placed]]) -> str:
    """Numbers of rows of each split, and the balance of all of them, or the range of labels in train."""
    sizes = ", ".join(f"{len(placed):,} {split}" for split, placed in rows.items())
    if task.regression:
        labels = [row.label for _, row in rows["train"]]
        return f"{sizes} rows, labels of train from {min(labels):g} to {max(labels):g}"
    counts = Counter(row.label for placed in rows.values() for _, row in placed)
    shares = [
        f"{percent(counts[at] / counts.total(), 0)} {label}" for at, label in enumerate(task.labels)
    ]
    return f"{sizes} rows, {listed(shares)}"


def _left_out(left_out: Sequence[LeftOut]) -> str:
    if not left_out:
        return "no row left out"
    return f"left out: {'; '.join(usable.sentences(left_out))}"


def _division(description: TaskDescription, tables: Mapping[str, Table]) -> list[str]:
    """A sentence on the rows that were held out for dev, if no table is dev."""
    if "dev" in tables:
        return []
    stratified = "" if description.classes == "regression" else ", stratified by class"
    groups = f", whole groups of `{description.group}`" if description.group else ""
    return [
        f"dev: {percent(description.dev_share, 0)} of the rows{stratified}{groups}, the same for all seeds"
    ]


def _describe(
    task: Task,
    description: TaskDescription,
    notes: Sequence[str],
    left_out: Sequence[LeftOut],
    out: Path,
) -> None:
    """Write asset.json, from which the report says whose data they are."""
    paths = description.paths
    if description.hub is not None:
        config = f", {description.config}" if description.config else ""
        name, origin = f"{description.hub}{config}", "hub"
    else:
        name, origin = f"own data: {listed(path.name for path in paths.values())}", "files"
    facts = {
        "language": description.language,
        "left_out": dict(Counter(row.reason for row in left_out)),
        "files": {path.name: checksum.of_file(path) for path in paths.values() if path.is_file()},
        "task": task.name,
    }
    sentences = [f"{note[0].upper()}{note[1:]}." for note in notes]
    describe(out, name, description.licence, origin, sentences, facts)
