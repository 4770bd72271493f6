"""Own tasks in the parameters: descriptions that cannot be right are refused, the others run through the stages."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, DatasetDict
from ruamel.yaml import YAML

from lottery import params, records
from lottery.data import examples
from lottery.data.description import NAME, RESERVED, described_task
from lottery.errors import UserError
from lottery.schemas import Score
from lottery.tasks import TASKS, declare, get_task
from stages import check, fetch, finetune, prepare, prune, retrain
from stages.shell import cli
from tests import toy_hub
from tests.own import CLASSES, delimited
from tests.project import ROOT, stages
from tests.test_bad_data import refused

REGRESSION = {"files": "a.csv", "sentence": "a", "label": "b", "classes": "regression"}
FILES = CLASSES | {"files": "a.csv"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"files": None}, "give either `files`, or the id"),
        ({"hub": "us/films"}, "give either `files`, or the id"),
        ({"files": None, "hub": "us/films"}, "splits: say which split"),
        ({"files": {"dev": "a.csv"}}, "files: there is no `train`"),
        ({"files": {"train": "a.csv", "test": "b.csv"}}, "unknown split `test`"),
        ({"files": {"train": "a.csv", "dev-../x": "b.csv"}}, "unknown split `dev-../x`"),
        ({"files": {"train": "a.csv"}, "splits": {"train": "a"}}, "names the splits already"),
        ({"splits": {"dev": "a"}}, "splits: there is no `train`"),
        ({"config": "plain"}, "config: it belongs to a data set of the hub"),
        ({"classes": ["good"]}, "classes = ['good']"),
        ({"classes": "positive"}, "classes = 'positive'"),
        ({"classes": [1, "1"]}, "classes: 1, 1: a class is given more than once"),
        ({"classes": None}, "classes = None"),
        ({"label": "text"}, "`text` is a column of text already"),
        ({"pair": "kind"}, "`kind` is a column of text already"),
        ({"metrics": ["acuracy"]}, "unknown metric `acuracy`"),
        ({"metrics": ["accuracy", "accuracy"]}, "a metric is given more than once"),
        ({"metrics": ["pearson"]}, "pearson is not for classes"),
        ({"search": "spearman"}, "spearman is not for classes"),
        ({"classes": [0, 1, 2], "metrics": ["f1"]}, "f1 is for two classes, not 3"),
        ({"classes": "regression", "metrics": ["accuracy"]}, "accuracy is not for a regression"),
        ({"dev_share": 1}, "dev_share = 1"),
        ({"title": "two\nlines"}, "is not one line of text"),
        ({"sentance": "text"}, "unknown key data.tasks.mine.sentance; did you mean `sentence`"),
    ],
    ids=str,
)
def test_a_description_that_cannot_be_right_is_one_line(
    change: dict[str, Any], message: str
) -> None:
    said = refused(lambda: described_task("mine", FILES | change))
    assert message in said
    assert "data.tasks.mine" in said


@pytest.mark.parametrize("name", ["", "My task", "../x", *RESERVED, 7, "ä"])
def test_names_that_cannot_be_paths_are_refused(name: Any) -> None:
    assert "a task's name has" in refused(lambda: described_task(name, FILES))


def test_the_folders_that_the_pipeline_makes_are_reserved() -> None:
    outputs = [Path(str(out)) for stage in stages().values() for out in stage["outs"]]
    below_data = [out.relative_to("data") for out in outputs if out.is_relative_to("data")]
    names = {path.parts[0] for path in below_data} | {"encoder"}
    assert Path("assets/encoder") in below_data
    assert {name for name in names if NAME.fullmatch(name)} == set(RESERVED)


@pytest.mark.parametrize("missing", ["sentence", "label", "classes"])
def test_a_missing_key_is_named(missing: str) -> None:
    keys = {key: value for key, value in FILES.items() if key != missing}
    assert f"the key data.tasks.mine.{missing} is missing" in refused(
        lambda: described_task("mine", keys)
    )


def test_defaults_are_those_of_the_kind_of_task() -> None:
    task, regression = described_task("mine", FILES), described_task("score", REGRESSION)
    assert (task.title, task.labels, task.metrics, task.search) == (
        "mine", ("bad", "good"), ("accuracy",), "accuracy",
    )  # fmt: skip
    assert (regression.metrics, regression.search) == (
        TASKS["stsb"].metrics, TASKS["stsb"].search,
    )  # fmt: skip


def test_names_and_titles_of_the_project_are_refused() -> None:
    task = described_task("sst2", FILES)
    assert "the project has a task `sst2`" in refused(lambda: declare([task]))
    titled = described_task("mine", FILES | {"title": "SST-2"})
    assert "is the title of `sst2`" in refused(lambda: declare([titled]))


def test_only_the_tasks_of_the_last_parameter_file_are_known() -> None:
    declare([described_task("mine", FILES)])
    assert get_task("mine").labels == ("bad", "good")
    declare([])
    with pytest.raises(UserError, match="unknown task `mine`"):
        get_task("mine")


def write(folder: Path, task: str, description: Mapping[str, Any], **data: Any) -> None:
    """A params.yaml of one own task, otherwise the smallest run."""
    tree = dict(params.read(ROOT / "profiles" / "smoke.yaml"))
    tree["grid"] = tree["grid"] | {"tasks": [task], "seeds": [1]}
    tree["retrain"] = tree["retrain"] | {"kept": []}
    tree["data"] = tree["data"] | {"tasks": {task: description}} | data
    YAML(typ="safe", pure=True).dump(tree, folder / "params.yaml")


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an encoder, and a file of pairs with classes, scores and groups."""
    toy_hub.bert(tmp_path / "bert")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lottery.runtime.parallel.worker_count", lambda _: 1)
    rows = [
        f"the {('awful', 'great')[at % 2]} film {at},the plot was {at % 7},{at % 2},{at / 10},{at % 25}"
        for at in range(200)
    ]
    delimited(tmp_path, "\n".join(["a,b,kind,score,group", *rows, "no,label,,,1"]))
    return tmp_path


PAIR = {
    "files": "rows.csv", "sentence": "a", "pair": "b", "label": "kind", "classes": [0, 1],
    "group": "group", "metrics": ["f1", "accuracy"],
}  # fmt: skip


def prepared(task: str) -> dict[str, Any]:
    check.main(Path("data/checked.json"), Path("data/tasks"))
    fetch.main(task, Path("asset"))
    prepare.main(task, Path("asset"), Path("bert"), Path("data/own"), Path("meta.json"))
    meta: dict[str, Any] = json.loads(Path("meta.json").read_text(encoding="utf-8"))
    return meta


def test_pairs_with_groups_run_from_the_file_to_the_scores(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(inside, "pairs", PAIR)
    meta = prepared("pairs")
    assert "1 row with no label (rows.csv, line 202)" in capsys.readouterr().out
    assert meta["data"]["left_out"] == {"no label": 1}
    assert set(meta["splits"]) == {"train", "select", "dev"}
    train = examples.load(Path("data/own/1/train.safetensors"))
    assert (train.task, train.types_T.max()) == ("pairs", 1)
    cell, encoder = Path("data/own/1"), Path("bert")
    finetune.main("pairs", 1, cell, encoder, Path("model"))
    prune.main("pairs", 1, cell, encoder, Path("model"), Path("tickets"))
    outs = (Path("scores.parquet"), Path("predictions.parquet"), Path("kept"))
    retrain.main("pairs", 1, 1, cell, encoder, Path("model"), Path("tickets"), *outs)
    scores = records.read(Score, [outs[0]]).to_pandas()
    assert set(scores["metric"]) == {"f1", "accuracy"}
    assert set(scores["task"]) == {"pairs"}


def test_scores_of_a_regression_are_standardised(inside: Path) -> None:
    write(inside, "scores", REGRESSION | {"files": "rows.csv", "label": "score"})
    meta = prepared("scores")
    assert meta["labels"]["std"] > 1
    assert "labels of train from 0" in " ".join(meta["data"]["notes"])
    train = examples.load(Path("data/own/1/train.safetensors"))
    assert len(set(train.labels_N.tolist())) > 20


def test_files_that_are_missing_stop_the_first_stage(inside: Path) -> None:
    for name, message in (("gone.csv", "gone.csv: no such file"), ("bert/config.json", ".json is")):
        write(inside, "pairs", PAIR | {"files": name})
        assert message in refused(lambda: prepared("pairs"))
        assert not Path("data").exists()


def test_the_description_of_a_task_is_a_file_of_its_own(inside: Path) -> None:
    write(inside, "pairs", PAIR)
    check.main(Path("data/checked.json"), Path("data/tasks"))
    assert json.loads(Path("data/tasks/pairs.json").read_bytes())["label"] == "kind"
    Path("params.yaml").write_bytes((ROOT / "profiles" / "smoke.yaml").read_bytes())
    check.main(Path("data/checked.json"), Path("data/tasks"))
    assert Path("data/tasks/sst2.json").read_text() == "{}\n"


def test_the_example_is_made_by_its_script(tmp_path: Path) -> None:
    script, out = ROOT / "profiles" / "own" / "messages.py", tmp_path / "messages.tsv"
    subprocess.run([sys.executable, script, out], check=True)
    assert out.read_bytes() == script.with_suffix(".tsv").read_bytes()


def test_the_example_has_no_row_that_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(cli, "PARAMETERS", ROOT / "profiles" / "own.yaml")
    monkeypatch.setattr(cli, "LOG", tmp_path / "log")
    fetch.main("messages", tmp_path / "asset")
    assert "no row left out" in capsys.readouterr().out


EXCEL = 'sentence\tlabel\r\n"The plot, quoted" was great\tpositive\r\nawful "film\tnegative\r\n\tnegative\r\n'


def test_a_table_as_excel_saves_it_runs_from_two_files(inside: Path) -> None:
    (inside / "train.tsv").write_bytes((EXCEL + "great cast\tpositive\r\n").encode("utf-8-sig"))
    (inside / "dev.tsv").write_bytes((EXCEL + "new\tpositive\r\n").encode("utf-16"))
    names = {"sentence": "sentence", "label": "label", "classes": ["negative", "positive"]}
    files = {"train": "train.tsv", "dev": "dev.tsv"}
    write(inside, "reviews", names | {"files": files}, select=0)
    assert "train.tsv: no usable row of train has the class `negative`" in refused(
        lambda: prepared("reviews")
    )
    (inside / "dev.tsv").write_text(
        EXCEL.split("\r\n", maxsplit=1)[0] + "\nso so\tnegative\n", "utf-8"
    )
    meta = prepared("reviews")
    assert meta["splits"]["train"]["classes"] == {"0": 1, "1": 2}
    assert meta["data"]["left_out"] == {"no text": 1}


def test_rows_in_the_place_of_a_glue_task_are_not_called_glue(inside: Path) -> None:
    rows = [{"sentence": f"film {at}", "label": at % 2} for at in range(20)]
    saved = DatasetDict(dict.fromkeys(("train", "validation"), Dataset.from_list(rows)))
    saved.save_to_disk(inside / "mine" / "sst2")
    toy_hub.glue(inside / "glue", train=30, dev=10)
    for source, name, licence in (
        ("mine", "folder mine/sst2", "not stated"),
        ("glue", "nyu-mll/glue: sst2", "terms of the GLUE tasks' own sources"),
    ):
        write(inside, "other", PAIR, source=source)
        fetch.main("sst2", Path("asset"))
        asset = json.loads(Path("asset/asset.json").read_text(encoding="utf-8"))
        assert (asset["name"], asset["parts"][0][0]["licence"]) == (name, licence)
