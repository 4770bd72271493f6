"""A DVC project of two stages whose tables depend on a rate, for experiments that take seconds."""

import shutil
from pathlib import Path

from tests.project import ROOT
from tests.records import ToyExperiment, analysed
from tests.workspace import Repository

PIPELINE = """\
stages:
  finetune:
    cmd: python -c "import shutil; shutil.copy('source/tasks.csv', 'model.csv')"
    deps: [source]
    outs: [model.csv]
  analyse:
    cmd: python analyse.py
    deps: [model.csv, source, analyse.py]
    params: [prune.rate]
    outs:
      - reports/tables: {cache: false}
    metrics:
      - reports/metrics.json: {cache: false}
"""
ANALYSE = """\
import json, pathlib, re, shutil
rate = float(re.search(r"rate: *(\\S+?)[,}\\n]", pathlib.Path("params.yaml").read_text())[1])
shutil.copytree("source", "reports/tables", dirs_exist_ok=True)
if rate > 0.3:
    table = pathlib.Path("reports/tables/verdicts.csv")
    table.write_text(table.read_text().replace(",closed,", ",reproduced,", 1))
cells = pathlib.Path("reports/tables/cells.csv")
head, *rows = cells.read_text().splitlines()
at = head.split(",").index("value")
shifted = [row.split(",") for row in rows]
for row in shifted:
    row[at] = str(float(row[at]) - rate / 10)
cells.write_text("\\n".join([head, *(",".join(row) for row in shifted)]) + "\\n")
pathlib.Path("reports/metrics.json").write_text(json.dumps({"full": 1 - rate}))
"""


def project(root: Path) -> Repository:
    """The project, not yet run, with the plots of the real one."""
    analysed(ToyExperiment(tasks=("sst2", "stsb"), seeds=(1, 2)), root / "made up")
    shutil.copytree(root / "made up" / "reports" / "tables", root / "source")
    shutil.rmtree(root / "made up")
    plots = (ROOT / "dvc.yaml").read_text(encoding="utf-8").partition("\nplots:\n")[2]
    (root / "dvc.yaml").write_text(f"{PIPELINE}\nplots:\n{plots}", encoding="utf-8")
    (root / "analyse.py").write_text(ANALYSE, encoding="utf-8")
    (root / "params.yaml").write_text("prune:\n  rate: 0.1\n", encoding="utf-8")
    repository = Repository(root)
    repository.init()
    shutil.copytree(ROOT / ".dvc" / "plots", root / ".dvc" / "plots")
    shutil.copy(ROOT / ".dvc" / "config", root / ".dvc" / "config")
    repository.commit("start")
    return repository
