"""The report of a grid with an own task: whose data they are, and what was left out."""

import json
from pathlib import Path

from lottery.data.description import described_task
from lottery.tasks import declare
from tests.own import ROWS, delimited, fetched
from tests.records import ToyExperiment, analysed
from tests.reports import write


def test_the_report_says_whose_data_they_are(tmp_path: Path) -> None:
    lines = [f'"{at} film",{row["kind"]}' for at, row in enumerate(ROWS)]
    path = delimited(tmp_path, "\n".join(["text,kind", *lines, "nothing,"]))
    keys = {"files": str(path), "title": "My films", "language": "Swahili"}
    _, _, asset = fetched(tmp_path, **keys)
    description = {"sentence": "text", "label": "kind", "classes": ["bad", "good"]} | keys
    declare([described_task("mine", description)])
    analysed(ToyExperiment(tasks=("sst2", "mine", "stsb")), tmp_path, tasks={"mine": description})
    meta = tmp_path / "data" / "meta" / "mine.json"
    about = json.loads(meta.read_text(encoding="utf-8")) | {"data": asset}
    meta.write_text(json.dumps(about), encoding="utf-8")
    declare([])
    write(tmp_path)
    text = (tmp_path / "reports" / "report.md").read_text(encoding="utf-8")
    for part in (
        "**My films** (own data: rows.csv; licence: not stated). Dev: 20 % of the rows",
        "16 train, 4 dev rows, 50 % bad and 50 % good. Left out: 1 row with no label (rows.csv, line 22).",
        "English (SST-2 and STS-B); Swahili (My films)",
    ):
        assert part in text
