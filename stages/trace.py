"""List the files of code that every stage's program consists of, with their hashes.

    python -m stages.trace data/code

A stage of the pipeline depends on the list of its program, so that an edit reruns exactly the stages that import the
file, directly or through others. To see what changed since: `sha256sum --check data/code/prune.txt`.
"""

from pathlib import Path
from typing import Annotated

from typer import Argument

from lottery import checksum
from stages.shell import cli
from stages.shell.imports import ROOT, program

MARK = 'if __name__ == "__main__":'


def main(
    out: Annotated[Path, Argument(help="Folder for one list of files per program.")],
) -> None:
    """List the files of code that every stage's program consists of, with their hashes."""
    with cli.stage("trace", "all", "the programs") as stage, cli.fresh(out) as draft:
        lists = {script.stem: program(script) for script in programs()}
        for name, files in lists.items():
            lines = "".join(f"{checksum.of_file(ROOT / file)}  {file}\n" for file in files)
            (draft / f"{name}.txt").write_text(lines, encoding="utf-8")
        stage.result = f"{len(lists)} programs, {len(set().union(*lists.values()))} files"


def programs() -> list[Path]:
    """The scripts of `stages/`, relative to the project."""
    files = sorted((ROOT / "stages").glob("*.py"))
    return [file.relative_to(ROOT) for file in files if MARK in file.read_text("utf-8").split("\n")]


if __name__ == "__main__":
    cli.run(main)
