"""The command `lottery`: what people run beside the pipeline."""

from typing import Any

import typer
from typer.core import TyperGroup

from stages.shell import cli, declared

COMMANDS = {
    "verify": (
        "tools.verify",
        "Check a finished run from its outputs, without training or writing anything.",
    ),
    "repro": (
        "cluster.repro",
        "Run the pipeline on this machine, as many jobs side by side as fit its cores.",
    ),
    "more": (
        "tools.more",
        "Add seeds to params.yaml if primary claims are undecided, for `dvc repro` to run.",
    ),
    "sweep": (
        "tools.sweep",
        "Run one experiment for each value of a parameter, or each combination, and compare them.",
    ),
    "compare": (
        "tools.compare",
        "Compare the experiments of `dvc exp run` with the commit they started from.",
    ),
    "export": (
        "tools.export",
        "Export a trained ticket, or the full model, as a folder for other programs.",
    ),
    "measure": (
        "tools.measure",
        "Measure size and speed of the tickets that the finished run keeps, and of the full models.",
    ),
    "bundle": (
        "tools.bundle",
        "Write a finished run into one archive, for others to read and check.",
    ),
    "open": (
        "tools.open_bundle",
        "Open the archive of a run in a new folder, and check what needs no model and no data.",
    ),
    "distribute": (
        "cluster.distribute",
        "Run the pipeline on a Dask cluster; the report is written on this machine.",
    ),
    "simulate": (
        "cluster.simulate",
        "Forecast how long an experiment takes on a cluster, from measured times.",
    ),
    "import-masks": (
        "tools.import_masks",
        "Analyse structured subnetworks found elsewhere, without model, data or training.",
    ),
    "inspect-heads": (
        "tools.inspect_heads",
        "Compare the attention of heads that given masks keep or prune, in one checkpoint.",
    ),
}
"""Each command's module, whose `main` it runs, and the first line of that function's docstring."""


class LazyGroup(TyperGroup):
    """Commands whose modules are imported only to run them: help, completion and errors do not wait for torch."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that the arguments name, as its module declares it."""
        name, stub, rest = super().resolve_command(ctx, args)
        if name is None or stub is None:
            return name, None, rest
        module, _ = COMMANDS[name]
        return name, cli.command(declared.main(module)), rest


app = typer.Typer(cls=LazyGroup, no_args_is_help=True)
for command, (_, summary) in COMMANDS.items():
    app.command(command, help=summary)(lambda: None)


@app.callback()
def lottery() -> None:
    """Check, compare and distribute runs of the pipeline; analyse masks found elsewhere."""


def main() -> None:
    """Run the command `lottery`."""
    cli.execute(app)


if __name__ == "__main__":
    main()
