"""The real pipeline on GLUE tasks in a folder, with a random BERT."""

from pathlib import Path

import pandas as pd
import pytest

from tests import toy_hub
from tests.workspace import ON_ONE_CORE, Workspace

pytestmark = pytest.mark.pipeline


def test_every_kind_of_glue_task_from_a_folder(tmp_path: Path) -> None:
    """Two classes, three with a second dev set, F1 of pairs, a regression: a random BERT, from fetch to report.

    The columns of all nine tasks are read in tests/test_glue.py.
    """
    toy_hub.glue(tmp_path / "glue", train=40, dev=16)
    toy_hub.bert(tmp_path / "bert")
    work = Workspace(
        tmp_path / "work",
        "paper",
        grid={"tasks": ["cola", "mnli", "mrpc", "stsb"], "seeds": [1337], "shares": [1]},
        encoder={"checkpoint": str(tmp_path / "bert")},
        data={"source": str(tmp_path / "glue"), "max_length": 32},
        finetune={"epochs": 1, "batch": 8},
        prune={"rate": 0.3},
        magnitude={"until": 0.6},
        controls={"random_draws": 3, "bad_draws": 2, "matched_draws": 2},
        attention={"maps": 40, "epochs": 2, "examples": 4},
    )
    work.run(*ON_ONE_CORE, "dvc", "repro")
    ran = work.executed()
    assert ran["retrain"] == 4
    text = (work.root / "reports" / "report.md").read_text()
    assert all(name in text for name in ("CoLA", "MNLI", "MRPC", "STS-B"))
    scores = pd.read_parquet(work.root / "scores" / "mnli" / "1337" / "1.parquet")
    assert {"dev", "dev-mismatched"} <= set(scores["split"])
