"""Pages in a real browser: what a reader would stumble over, at each width, in light and dark, and on paper.

python -m tests.browser build/pages reports/report.html [more.html ...]
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape, unescape
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.project import ROOT

PROBE = ROOT / "tests" / "browser.js"
NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars", "--enable-logging=stderr",
    "--virtual-time-budget=60000",
)  # fmt: skip
SAID = re.compile(r':CONSOLE[:(]\d+\)?\] (".*)')


@dataclass(frozen=True)
class View:
    """A way to look at a page: its width in CSS pixels, its colours, whether as paper shows it."""

    name: str
    width: int
    dark: bool = False
    paper: bool = False


# The last is A4 between Chromium's own margins of a centimetre.
VIEWS = (
    View("narrow-light", 390),
    View("narrow-dark", 390, dark=True),
    View("wide-light", 1440),
    View("wide-dark", 1440, dark=True),
    View("paper", 718, paper=True),
)


def findings(page: Path, view: View) -> list[str]:
    """What is wrong with a page in a view, a sentence each; nothing if all is well.

    Accessibility is part of it where `axe` finds its checker. Nothing is fetched in any case.
    """
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "page.html"
        copy.write_text(_framed(page.read_text(encoding="utf-8"), view, probed=True), "utf-8")
        found = _run(copy, view, "--dump-dom")
    told = re.search(r"<body[^>]*>(\[.*\])\s*</body>", found.stdout, re.DOTALL)
    if not told:
        return [f"the browser gave no answer: {found.stdout[-200:]} {found.stderr[-500:]}"]
    sentences: list[str] = json.loads(unescape(told[1]))
    return [*(f"says {line}" for line in SAID.findall(found.stderr)), *sentences]


def shot(page: Path, view: View, out: Path) -> None:
    """A PNG of the top of a page."""
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "page.html"
        copy.write_text(_framed(page.read_text(encoding="utf-8"), view, probed=False), "utf-8")
        _run(copy, view, f"--screenshot={out.resolve()}")


def printed(page: Path, out: Path) -> int:
    """A PDF of a page, as the browser prints it; returns its number of sheets."""
    _run(page, VIEWS[-1], "--no-pdf-header-footer", f"--print-to-pdf={out.resolve()}")
    return len(re.findall(rb"/Type\s*/Page\b", out.read_bytes()))


@cache
def chromium() -> str | None:
    """The browser, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def axe() -> Path | None:
    """The accessibility checker, if `make page-check` has fetched it."""
    return next((ROOT / "build").glob("axe-*.js"), None)


def _framed(text: str, view: View, probed: bool) -> str:
    """A page around the page, since no window of Chromium is as narrow as a telephone."""
    checker = axe()
    scripts = [checker.read_text("utf-8") if checker else "", PROBE.read_text("utf-8")]
    inserted = "".join(f"<script>{script}</script>" for script in scripts) if probed else ""
    text = text.replace("@media print", "@media all") if view.paper else text
    text = text.replace("</body>", f"{inserted}</body>")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page in a frame</title>'
        '<meta name="color-scheme" content="light dark"></head><body style="margin: 0">'
        f'<iframe style="border: 0; width: {view.width}px; height: {HEIGHT}px" srcdoc="{escape(text)}">'
        "</iframe></body></html>"
    )


HEIGHT = 3000


def _run(page: Path, view: View, *actions: str) -> subprocess.CompletedProcess[str]:
    scheme = f"--blink-settings=preferredColorScheme={0 if view.dark else 1}"
    with TemporaryDirectory() as profile:
        command = [
            str(chromium()), *QUIET, f"--user-data-dir={profile}", scheme,
            f"--window-size={max(view.width, 500)},{HEIGHT}", *actions, page.resolve().as_uri(),
        ]  # fmt: skip
        return subprocess.run(
            command, capture_output=True, encoding="utf-8", check=True, timeout=120
        )


def _checked(page: Path, out: Path) -> Iterator[str]:
    """Every finding of every view of a page, its pictures and print left in `out`."""
    for view in VIEWS:
        shot(page, view, out / f"{page.stem}-{view.name}.png")
        found = findings(page, view)
        print(f"{page} {view.name}: {'; '.join(found) or 'ok'}")
        yield from found
    sheets = printed(page, out / f"{page.stem}.pdf")
    print(f"{page} printed: {sheets} sheets")


def main(out: Path, *pages: Path) -> str | None:
    """Check `pages`; what went wrong in one line, if anything did."""
    if not chromium():
        return "error: no chromium to look at the pages with; on Debian: apt-get install chromium"
    out.mkdir(parents=True, exist_ok=True)
    found = [each for page in pages for each in _checked(page, out)]
    print(f"pictures and prints: {out}")
    return f"error: {len(found)} findings, see above" if found else None


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
