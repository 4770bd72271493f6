from pathlib import Path

import pytest

from lottery.analysis import published_scores
from lottery.errors import UserError
from lottery.tasks import TASKS

RESULTS = Path(__file__).parents[1] / "published" / "results.csv"


@pytest.mark.parametrize(
    ("method", "state", "good", "random", "bad"),
    [
        ("structured", "pruned", 0.740, 0.589, 0.513),
        ("structured", "retrained", 0.756, 0.732, 0.691),
        ("magnitude", "pruned", 0.754, 0.372, 0.361),
        ("magnitude", "retrained", 0.806, 0.613, 0.512),
    ],
)
def test_the_averages_are_those_of_the_paper(
    method: str, state: str, good: float, random: float, bad: float
) -> None:
    table = published_scores.averages(published_scores.results(RESULTS)).set_index(
        published_scores.OWNER
    )
    found = [table.loc[(method, kind, state), "mean"] for kind in ("good", "random", "bad")]
    assert found == pytest.approx([good, random, bad], abs=6e-4)
    assert table.loc[("full", "full", "finetuned"), "mean"] == pytest.approx(0.814, abs=6e-4)
    assert set(table["tasks"]) == {8}


def test_every_task_is_known_and_measured_by_its_first_metric() -> None:
    table = published_scores.results(RESULTS)
    metrics = table.groupby("task")["metric"].agg(lambda names: "|".join(sorted(set(names))))
    assert metrics.to_dict() == {name: TASKS[name].metrics[0] for name in metrics.index}
    assert len(table) == 9 * 20


def test_only_wnli_is_unsound() -> None:
    table = published_scores.results(RESULTS)
    assert set(table["task"]) - set(published_scores.sound(table)["task"]) == {"wnli"}


def test_another_table_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    for name in ("other.csv", "missing.csv"):
        with pytest.raises(UserError, match=name):
            published_scores.results(tmp_path / name)
