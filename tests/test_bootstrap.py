"""The Multi-Bootstrap: metrics on drawn examples, spread over examples, intervals from five seeds on."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from lottery.analysis.bootstrap import DRAWS, FEWEST_SEEDS, Resampled, resample, spreads
from lottery.metrics import CORRELATIONS, METRICS
from lottery.seeds import rng
from lottery.tasks import Task, declare, get_task

SIZE = 400
GOOD = ("structured", "good", "pruned", None)


def predictions(task: str, seeds: int, right: float = 0.8) -> pd.DataFrame:
    """A full model that is right on 90 % of dev, a good ticket, and the majority class."""
    random, rows = rng(task, seeds, "predictions"), []
    labels = (np.arange(SIZE) % 2).astype(np.float32)
    for seed in range(seeds):
        for method, kind, state, share in (
            ("full", "full", "finetuned", 0.9),
            ("full", "majority", "finetuned", 0.0),
            ("structured", "good", "pruned", right),
        ):
            told = np.where(random.random(SIZE) < share, labels, 1 - labels)
            logits = _logits(task, np.zeros(SIZE) if kind == "majority" else told, random)
            rows.append((task, seed, method, kind, state, np.nan, logits, labels))
    columns = ["task", "seed", "method", "kind", "state", "matched", "logits", "labels"]
    return pd.DataFrame(rows, columns=columns)


def _logits(
    task: str, told: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float64]:
    if get_task(task).regression:
        return np.exp(2 * told + (random.normal(0, 0.8, SIZE) if told.any() else 0))
    logits: NDArray[np.float64] = np.eye(2)[told.astype(int)].ravel()
    return logits


@pytest.fixture(params=METRICS)
def metric(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each metric, the first of the task `own`."""
    name: str = request.param
    labels = () if name in CORRELATIONS - {"matthews"} else ("no", "yes")
    declare([Task(name="own", title="Own", labels=labels, metrics=(name,), search=name)])
    yield name
    declare(())


def usable(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns=["logits", "labels"])


def test_resampled_scores_scatter_around_the_score_on_all_examples(metric: str) -> None:
    frame = predictions("own", 1)
    shares = resample(frame, usable(frame))[GOOD].shares["own", 0]

    def score(row: "pd.Series[float]") -> float:
        logits = np.asarray(row["logits"])
        regression = len(logits) == SIZE
        told = logits if regression else logits.reshape(-1, 2).argmax(axis=1).astype(float)
        value = METRICS[metric](told, np.asarray(row["labels"], np.float64))
        return 0.0 if np.isnan(value) else value

    full, guess, good = (score(row) for _, row in frame.iterrows())
    assert shares.shape == (DRAWS,)
    assert shares.mean() == pytest.approx((good - guess) / (full - guess), abs=0.012)
    assert 0.01 < shares.std() < 0.15


def test_fewer_seeds_have_no_bootstrap_and_more_examples_or_seeds_narrow_it() -> None:
    few, many = (predictions("sst2", seeds) for seeds in (FEWEST_SEEDS - 1, FEWEST_SEEDS))
    assert resample(few, usable(few))[GOOD].interval() is None
    interval = resample(many, usable(many))[GOOD].interval()
    assert interval is not None
    low, high = interval
    assert low < 0.75 < high
    assert high - low < 0.2


def test_seeds_that_differ_widen_the_interval() -> None:
    same = {("sst2", seed): np.full(DRAWS, 0.5) for seed in range(5)}
    apart = {("sst2", seed): np.full(DRAWS, seed / 4) for seed in range(5)}
    assert Resampled(same).interval() == (0.5, 0.5)
    low, high = Resampled(apart).interval() or (0.5, 0.5)
    assert high - low > 0.4
    assert Resampled(apart).example_std() == {"sst2": 0.0}


def test_unusable_tickets_are_not_resampled_and_spreads_are_by_task() -> None:
    frame = predictions("sst2", 2)
    assert GOOD not in resample(frame, usable(frame)[frame["kind"] != "good"])
    cells = usable(frame).assign(share=[0.0, 0.0, 0.5, 0.0, 0.0, 0.7], usable=True, reported=True)
    table = spreads(resample(frame, cells), cells, ["sst2"]).set_index("kind")
    assert table.loc["good", "seed_std"] == pytest.approx(np.std([0.5, 0.7], ddof=1))
    assert 0 < table["example_std"]["good"] < 0.1
