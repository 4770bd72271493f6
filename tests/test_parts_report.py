"""Reports of runs with every part that is off by default, of sound cells and of none."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from lottery.report import markdown
from lottery.report.blocks import Figure, Table
from lottery.report.report import compose
from tests.records import ToyExperiment
from tests.reports import blocks, material, reported

TASKS = ("sst2", "rte")
PARTS = {"Rewinding", "Transfer"}


@pytest.mark.parametrize("degenerate", [TASKS[:1], TASKS], ids=["some cells", "no cell"])
def test_parts_are_reported_where_a_cell_is_sound(
    degenerate: Sequence[str], tmp_path: Path
) -> None:
    experiment = ToyExperiment(TASKS, (1, 2), draws=1, degenerate=degenerate, parts=True)
    reported(experiment, tmp_path)
    document = compose(material(tmp_path))
    titles = {section.title for section in document.sections}
    assert titles & PARTS == (PARTS if degenerate != TASKS else set())
    assert titles >= {"Linear mode connectivity", "Other papers"}
    assert not re.search(r"\b(nan|None|NaN|inf)\b", markdown.render(document))
    shown = [block.path for block in blocks(document) if isinstance(block, Figure)]
    assert all((tmp_path / "reports" / path).is_file() for path in shown)
    captions = [block.caption for block in blocks(document) if isinstance(block, Table)]
    assert all("ource" in caption or "digest" in caption for caption in captions)
