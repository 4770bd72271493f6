"""Pages in a real browser: the committed report, that of a toy experiment, and a page with every fault."""

from pathlib import Path

import pytest

from tests.programs import browser
from tests.programs.browser import VIEWS, View
from tests.project import ROOT
from tests.records import ToyExperiment
from tests.reports import reported

pytestmark = pytest.mark.skipif(
    not browser.chromium(), reason="no chromium to check pages with (apt-get install chromium)"
)
COMMITTED = ROOT / "reports" / "report.html"
NARROW, *_, WIDE_DARK, PAPER = VIEWS
BAD = """\
<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Bad</title></head><body><main><h1>Bad</h1>
<p style="color: #bbb; background: #fff">faint</p><img src="https://nowhere.invalid/a.png"><a href="#gone">gone</a>
<div style="width: 3000px">wide</div>
<table><thead><tr><th><button>a</button></th><th>b</th></tr></thead>
<tbody><tr><td>2</td><td>2</td></tr><tr><td>1</td><td>2</td></tr></tbody></table>
</main><script>missing();</script></body></html>
"""


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    page = tmp_path_factory.mktemp("bad") / "bad.html"
    page.write_text(BAD, encoding="utf-8")
    return browser.findings(page, NARROW)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    reported(ToyExperiment(tasks=("mnli", "sst2"), seeds=(1, 2), degenerate=("sst2",)), folder)
    return folder / "reports" / "report.html"


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_committed_page_has_no_fault_in_any_view(view: View) -> None:
    assert not browser.findings(COMMITTED, view)


@pytest.mark.parametrize("view", [NARROW, WIDE_DARK, PAPER], ids=lambda view: view.name)
def test_toy_page_has_no_fault(toy: Path, view: View) -> None:
    assert not browser.findings(toy, view)


@pytest.mark.parametrize(
    "fault",
    [
        'says "Uncaught ReferenceError: missing',
        "scrolls sideways, 3",
        "leads nowhere",
        "fetches ",
        "shows no picture",
        "does not sort ascending",
        "cannot be sorted",
    ],
)
def test_faults_are_found(bad: list[str], fault: str) -> None:
    assert any(each.startswith(fault) for each in bad)


@pytest.mark.skipif(not browser.axe(), reason="no axe-core in build/; `make page-check` fetches it")
@pytest.mark.parametrize("rule", ["color-contrast", "image-alt"])
def test_inaccessible_parts_are_found(bad: list[str], rule: str) -> None:
    assert any(each.startswith(rule) for each in bad)


def test_page_prints(tmp_path: Path) -> None:
    assert browser.printed(COMMITTED, tmp_path / "report.pdf") > 1
