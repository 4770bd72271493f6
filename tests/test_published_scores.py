from pathlib import Path

import pytest

from lottery.analysis import published_scores
from lottery.errors import UserError
from lottery.tasks import TASKS
from lottery.vocabulary import TICKET_STATE

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
def test_averages_are_those_of_the_paper(
    method: str, state: str, good: float, random: float, bad: float
) -> None:
    table = published_scores.averages(published_scores.read(RESULTS))
    table = table.set_index(TICKET_STATE)
    means = [table.loc[(method, kind, state), "mean"] for kind in ("good", "random", "bad")]
    assert means == pytest.approx([good, random, bad], abs=6e-4)
    assert table.loc[("full", "full", "finetuned"), "mean"] == pytest.approx(0.814, abs=6e-4)
    assert set(table["tasks"]) == {8}


def test_all_tasks_are_scored_by_their_first_metric() -> None:
    table = published_scores.read(RESULTS)
    metrics = table.groupby("task")["metric"].agg(lambda names: "|".join(sorted(set(names))))
    assert metrics.to_dict() == {name: TASKS[name].metrics[0] for name in metrics.index}
    assert len(table) == 9 * 20


def test_only_wnli_is_below_the_majority_class() -> None:
    table = published_scores.read(RESULTS)
    assert set(table["task"]) - set(published_scores.above_majority(table)["task"]) == {"wnli"}


def test_missing_and_other_tables_are_user_errors(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    for name in ("other.csv", "missing.csv"):
        with pytest.raises(UserError, match=name):
            published_scores.read(tmp_path / name)
