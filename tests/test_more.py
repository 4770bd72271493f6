"""`lottery more`: seeds are added while primary claims are undecided, up to the last look."""

from pathlib import Path

import pandas as pd
import pytest

from lottery import params
from lottery.errors import UserError
from tests.project import ROOT
from tools import more

PROFILES = sorted(path.name for path in (ROOT / "profiles").glob("*.yaml"))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the parameters and tables of a run with the seeds 7, 3 and 5."""
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "profiles/default.yaml").read_text("utf-8")
    lines = [
        "  seeds: [7, 3, 5]  # drawn once" if line.startswith("  seeds:") else line
        for line in text.splitlines()
    ]
    Path("params.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    Path("tables").mkdir()
    pd.DataFrame({"seed": [3, 5, 7]}).to_csv("tables/cells.csv", index=False)
    return tmp_path


def verdicts(**primary: str) -> None:
    rows = [("primary", claim, verdict) for claim, verdict in primary.items()]
    rows.append(("secondary", "S", "undecided"))
    frame = pd.DataFrame(rows, columns=["family", "claim", "verdict"])
    frame.to_csv("tables/verdicts.csv", index=False)


def seeds() -> list[int]:
    return list(params.read(Path("params.yaml"))["grid"]["seeds"])


def test_undecided_claim_adds_seeds_up_to_the_last_look(run: Path) -> None:
    verdicts(P1="reproduced", P2="undecided", P3="equivalent")
    before = Path("params.yaml").read_text("utf-8").splitlines()
    more.main(Path("tables"))
    after = Path("params.yaml").read_text("utf-8").splitlines()
    assert seeds() == [7, 3, 5, 8, 9]
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert changed == ["  seeds: [7, 3, 5, 8, 9] # drawn once"]


def test_decided_claims_add_nothing(run: Path) -> None:
    verdicts(P1="reproduced", P2="contradicted", P3="equivalent")
    before = Path("params.yaml").read_bytes()
    more.main(Path("tables"))
    assert Path("params.yaml").read_bytes() == before


def test_no_seed_is_added_after_the_last_look(run: Path) -> None:
    more.add_seeds(Path("params.yaml"), [11, 12])
    pd.DataFrame({"seed": [3, 5, 7, 11, 12]}).to_csv("tables/cells.csv", index=False)
    verdicts(P1="undecided")
    more.main(Path("tables"))
    assert seeds() == [7, 3, 5, 11, 12]


def test_tables_of_another_run_are_refused(run: Path) -> None:
    pd.DataFrame({"seed": [3, 5]}).to_csv("tables/cells.csv", index=False)
    verdicts(P1="undecided")
    with pytest.raises(UserError, match="seeds 3 and 5, not those of"):
        more.main(Path("tables"))


@pytest.mark.parametrize("name", PROFILES)
def test_only_the_seeds_of_a_profile_change(tmp_path: Path, name: str) -> None:
    path, text = tmp_path / name, (ROOT / "profiles" / name).read_text("utf-8")
    path.write_text(text, encoding="utf-8")
    more.add_seeds(path, [12345])
    changed = set(path.read_text("utf-8").splitlines()) - set(text.splitlines())
    assert [line.strip().startswith("seeds: [") for line in changed] == [True]
