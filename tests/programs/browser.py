"""Checks of HTML pages in Chromium: narrow and wide, light and dark, and printed.

python -m tests.programs.browser build/pages reports/report.html [more.html ...]
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

PROBE = Path(__file__).with_suffix(".js")
NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars", "--enable-logging=stderr",
    "--virtual-time-budget=60000",
)  # fmt: skip
HEIGHT = 3000
CONSOLE = re.compile(r':CONSOLE[:(]\d+\)?\] (".*)')


@dataclass(frozen=True)
class View:
    """A way to show a page: width in CSS pixels, dark or light colours, the style for print."""

    name: str
    width: int
    dark: bool = False
    printed: bool = False


# The last is A4 between Chromium's margins of a centimetre.
VIEWS = (
    View("narrow-light", 390),
    View("narrow-dark", 390, dark=True),
    View("middle-light", 1200),
    View("middle-dark", 1200, dark=True),
    View("wide-light", 1600),
    View("wide-dark", 1600, dark=True),
    View("paper", 718, printed=True),
)


def findings(page: Path, view: View) -> list[str]:
    """Problems of a page in a view, one sentence each.

    Includes accessibility if `axe` finds its checker. The network is never used.
    """
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "page.html"
        copy.write_text(_framed(page.read_text(encoding="utf-8"), view, probed=True), "utf-8")
        done = _run(copy, view, "--dump-dom")
    body = re.search(r"<body[^>]*>(\[.*\])\s*</body>", done.stdout, re.DOTALL)
    if not body:
        return [f"the browser gave no answer: {done.stdout[-200:]} {done.stderr[-500:]}"]
    sentences: list[str] = json.loads(unescape(body[1]))
    return [*(f"says {line}" for line in CONSOLE.findall(done.stderr)), *sentences]


def screenshot(page: Path, view: View, out: Path) -> None:
    """A PNG of the top of a page."""
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "page.html"
        copy.write_text(_framed(page.read_text(encoding="utf-8"), view, probed=False), "utf-8")
        _run(copy, view, f"--screenshot={out.resolve()}")


def printed(page: Path, out: Path) -> int:
    """Print a page to a PDF and return its number of sheets."""
    _run(page, VIEWS[-1], "--no-pdf-header-footer", f"--print-to-pdf={out.resolve()}")
    return len(re.findall(rb"/Type\s*/Page\b", out.read_bytes()))


@cache
def chromium() -> str | None:
    """Path of the browser, if it is installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def axe() -> Path | None:
    """Path of the accessibility checker, if `make page-check` has fetched it."""
    return next((ROOT / "build").glob("axe-*.js"), None)


def _framed(text: str, view: View, probed: bool) -> str:
    """The page inside a frame: Chromium's window cannot be as narrow as a phone."""
    checker = axe()
    scripts = [checker.read_text("utf-8") if checker else "", PROBE.read_text("utf-8")]
    probe = "".join(f"<script>{script}</script>" for script in scripts) if probed else ""
    text = text.replace("@media print", "@media all") if view.printed else text
    text = text.replace("</body>", f"{probe}</body>")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page in a frame</title>'
        '<meta name="color-scheme" content="light dark"></head><body style="margin: 0">'
        f'<iframe style="border: 0; width: {view.width}px; height: {HEIGHT}px" srcdoc="{escape(text)}">'
        "</iframe></body></html>"
    )


def _run(page: Path, view: View, *actions: str) -> subprocess.CompletedProcess[str]:
    scheme = f"--blink-settings=preferredColorScheme={0 if view.dark else 1}"
    with TemporaryDirectory() as profile:
        command = [
            str(chromium()), *OPTIONS, f"--user-data-dir={profile}", scheme,
            f"--window-size={max(view.width, 500)},{HEIGHT}", *actions, page.resolve().as_uri(),
        ]  # fmt: skip
        return subprocess.run(
            command, capture_output=True, encoding="utf-8", check=True, timeout=120
        )


def _check(page: Path, out: Path) -> Iterator[str]:
    """Findings of all views of a page; writes screenshots and the printed page to `out`."""
    for view in VIEWS:
        screenshot(page, view, out / f"{page.stem}-{view.name}.png")
        problems = findings(page, view)
        print(f"{page} {view.name}: {'; '.join(problems) or 'ok'}")
        yield from problems
    sheets = printed(page, out / f"{page.stem}.pdf")
    print(f"{page} printed: {sheets} sheets")


def main(out: Path, *pages: Path) -> str | None:
    """Check `pages`, and return one line if there are findings."""
    if not chromium():
        return "error: chromium is not installed; on Debian: apt-get install chromium"
    out.mkdir(parents=True, exist_ok=True)
    problems = [problem for page in pages for problem in _check(page, out)]
    print(f"screenshots and prints: {out}")
    return f"error: {len(problems)} findings, see above" if problems else None


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
