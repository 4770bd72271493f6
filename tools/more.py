"""Add seeds to an experiment that its primary claims leave undecided: `lottery more`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter
from typer import Option

from lottery.analysis import frames
from lottery.analysis.looks import EvidenceParameters
from lottery.analysis.verdicts import DECIDED
from lottery.errors import UserError
from lottery.grid import GridParameters
from lottery.params import section
from lottery.wording import counted, listed
from stages.shell import cli


def main(
    tables: Annotated[Path, Option(help="Tables of the finished run.")] = Path("reports/tables"),
) -> None:
    """Add seeds to params.yaml if primary claims are undecided, for `dvc repro` to run."""
    tree = cli.parameters()
    seeds, looks = section(GridParameters, tree).seeds, section(EvidenceParameters, tree).looks
    with cli.stage("more", str(cli.PARAMETERS), "the primary claims") as stage:
        open_claims, later = undecided(tables, seeds), [look for look in looks if look > len(seeds)]
        if not open_claims:
            stage.result = f"every primary claim is decided with {counted(len(seeds), 'seed')}"
        elif not later:
            stage.result = (
                f"{listed(open_claims)} undecided, but {len(seeds)} seeds are the last look"
            )
        else:
            added = [max(seeds) + 1 + number for number in range(later[0] - len(seeds))]
            add_seeds(cli.PARAMETERS, added)
            stage.result = (
                f"{listed(open_claims)} undecided: added the seeds {listed(map(str, added))}"
            )


def undecided(tables: Path, seeds: Sequence[int]) -> list[str]:
    """The primary claims without a decision. Raises UserError if the tables are of a run with other seeds."""
    tested = set(frames.load(tables / "cells.csv")["seed"])
    if tested != set(seeds):
        raise UserError(
            f"{tables}: of a run with the seeds {listed(map(str, sorted(tested)))}, not those of"
            f" {cli.PARAMETERS}; run `make repro` first"
        )
    verdicts = frames.load(tables / "verdicts.csv")
    primary = verdicts[verdicts["family"] == "primary"]
    return list(primary.loc[~primary["verdict"].isin(DECIDED), "claim"])


def add_seeds(path: Path, seeds: Sequence[int]) -> None:
    """Append seeds to `grid.seeds` of a parameter file, whose comments stay."""
    yaml = YAML()
    yaml.width = 120
    # Without this, `floor: null` would become `floor:`.
    yaml.representer.add_representer(type(None), _null)
    tree = yaml.load(path.read_text(encoding="utf-8"))
    tree["grid"]["seeds"].extend(seeds)
    with cli.fresh_file(path) as draft, draft.open("w", encoding="utf-8") as file:
        yaml.dump(tree, file)


def _null(representer: RoundTripRepresenter, _: None) -> ScalarNode:
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")
