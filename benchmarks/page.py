"""The page of results, as Markdown: targets and whether they are reached, all rows, where the time goes."""

from collections.abc import Iterator, Sequence

from benchmarks.hardware import Hardware
from benchmarks.memory import MARKS, MOST, MemoryRow
from benchmarks.rows import Row
from benchmarks.shares import PRODUCTS, SPEED
from benchmarks.targets import TARGETS


def text(table: list[Row], lasting: Sequence[MemoryRow] = (), peaks: Hardware | None = None) -> str:
    """The page as Markdown."""
    parts = [*_head(table), "## Targets", "", *targets(table), "", *_bounds(table), *_rows(table)]
    parts += [*_shares(table), *_hardware(peaks), *_growth(table), *_lasting(lasting)]
    return "\n".join(parts) + "\n"


def targets(table: list[Row]) -> Iterator[str]:
    """Table of the targets and the measured values."""
    yield from ("| target | wanted | measured | |", "|---|---|---|---|")
    for target in TARGETS:
        if (row := target.row(table)) is not None:
            sign = "at most " if target.at_most else ""
            verdict = "reached" if target.reached(row) else "missed"
            value = target.value(row)
            yield f"| {target.title} | {sign}{target.wanted:g} | {value:.2f} | {verdict} |"


def _bounds(table: list[Row]) -> Iterator[str]:
    """For each missed target, the bound set by its matrix products or its model."""
    for target in TARGETS:
        row = target.row(table)
        if row is not None and not target.reached(row):
            bound = _memory_bound(row, table) if target.at_most else _time_bound(row)
            yield f"Bound of *{target.title}*: {bound}"
            yield ""


def _time_bound(row: Row) -> str:
    products, speed = row.shares[PRODUCTS], row.shares[SPEED]
    return (
        f"matrix products take {products:.0%} of the project's time, at {speed:.0%} of the speed of the fastest on"
        f" this machine. Without any other operation the ratio would be {row.ratio_median / products:.2f}."
    )


def _memory_bound(row: Row, table: list[Row]) -> str:
    scoring = [r for r in table if (r.work, r.encoder) == ("scoring", row.encoder)]
    peak = max((r.peak_memory_mib for r in scoring), default=float("nan"))
    return (
        f"of its {row.peak_memory_mib:.0f} MiB the model takes {row.model_mib:.0f}; scoring sentences with the full"
        f" model takes {peak:.0f}, activations included."
    )


def cells(row: Row) -> tuple[str, ...]:
    """The columns of a row."""
    return (
        row.work,
        row.baseline,
        row.at or row.encoder,
        f"{row.ratio_median:.2f}",
        f"{row.ratio_min:.2f} to {row.ratio_max:.2f}",
        f"{row.peak_memory_mib:.0f} / {row.baseline_peak_memory_mib:.0f}",
        _agreement(row),
    )


def _agreement(row: Row) -> str:
    if row.bits is not None:
        return f"{row.bits_differing:,} of {row.bits:,} bits"
    return "" if row.difference is None else f"{row.difference:.0e}"


def _head(table: list[Row]) -> Iterator[str]:
    machines = dict.fromkeys(row.machine for row in table)
    yield from (
        "# Benchmarks",
        "",
        "`make bench` writes this page. Every implementation runs in its own process with one thread; they take"
        " turns. A ratio is CPU seconds of the baseline over those of this project in the same round: median and"
        " range over the rounds. `minilm` is all-MiniLM-L6-v2 fine-tuned on SST-2; `base` has the size of"
        " bert-base and random weights, which serves for times only. All implementations get the same checkpoint"
        " and the same SST-2 sentences. `reference` is a straightforward version of the authors' code: padded to"
        " 128, float masks, gradients of all weights. The other baselines pad to the longest sentence of a"
        " batch. A `ticket` lacks 45 % of its heads and MLPs; transformers loads its export, where these are zeros, and"
        " onnxruntime that without them, and all get the same batches. `predictions` is scoring that keeps them.",
        "",
        *(f"Measured on {machine}.\n" for machine in machines),
    )


def _rows(table: list[Row]) -> Iterator[str]:
    yield from (
        "## All rows",
        "",
        "Memory is the peak above that of a process without a model: project / baseline. The last column is the"
        " difference of the results: the largest one of logits and importance, relative to the largest value, or the"
        " number of differing bits in the masks of all candidates.",
        "",
        "| work | baseline | encoder | ratio | range | MiB | difference |",
        "|---|---|---|---|---|---|---|",
    )
    yield from (f"| {' | '.join(cells(row))} |" for row in table if not row.at)
    yield ""


def _shares(table: list[Row]) -> Iterator[str]:
    """Fractions of time for each work and encoder."""
    profiles = {(row.work, row.encoder): row.shares for row in table if not row.at}
    kinds = list(dict.fromkeys(kind for profile in profiles.values() for kind in profile))
    yield from (
        "## Where the time goes",
        "",
        "Percentage of this project's time under torch's profiler, on one thread. The speed of matrix products is"
        " relative to the fastest product of this machine.",
        "",
        f"| work | encoder | {' | '.join(kinds)} |",
        "|---|---|" + "---|" * len(kinds),
    )
    for (work, encoder), profile in profiles.items():
        cells = (f"{profile[kind]:.0%}" if kind in profile else "" for kind in kinds)
        yield f"| {work} | {encoder} | {' | '.join(cells)} |"
    yield ""


def _hardware(peaks: Hardware | None) -> Iterator[str]:
    if peaks is None:
        return
    fastest = ", ".join(f"{speed / 1e9:,.0f} in {name}" for name, speed in peaks.products.items())
    yield from (
        "## What one core could do",
        "",
        f"On {peaks.machine}: the fastest square matrix product makes {fastest} (billions of operations a second), and"
        f" copies move {peaks.copies / 1e9:.0f} GB a second. Operations are those of products and attention, in"
        " billions; seconds are medians of CPU. The last column is the speed as a part of the fastest product's: what"
        " is left are element-wise operations, casts, ranking and Python.",
        "",
        "| encoder | work | precision | operations | seconds | of the fastest product |",
        "|---|---|---|---|---|---|",
    )
    for row in peaks.reached:
        numbers = f"{row.operations / 1e9:,.1f} | {row.seconds:.2f} | {row.fraction:.0%}"
        yield f"| {row.encoder} | {row.work} | {row.precision} | {numbers} |"
    yield ""


def _growth(table: list[Row]) -> Iterator[str]:
    growth = [row for row in table if row.at]
    if growth:
        yield from (
            "## Growth",
            "",
            "CPU seconds of importance on MiniLM-L6, for 16 sentences unless stated otherwise.",
            "",
            "| size | project | reference | ratio |",
            "|---|---|---|---|",
        )
        for row in growth:
            seconds = f"{row.cpu_seconds:.2f} | {row.baseline_cpu_seconds:.2f}"
            yield f"| {row.at} | {seconds} | {row.ratio_median:.1f} |"
        yield ""


def _lasting(table: Sequence[MemoryRow]) -> Iterator[str]:
    if table:
        yield from (
            "## Memory of long runs",
            "",
            "Resident MiB of a process after so many steps of training (4 sentences) or scoring (512 tokens). The"
            f" last may be {MOST} times the first. Weights and words are random. Rows of fewer steps are of slow works:"
            ' `make bench BENCH="--work memory --steps 300"`.',
            "",
            f"| encoder | work | precision | {' | '.join(f'{step:,} steps' for step in MARKS)} | growth | |",
            "|---|---|---|" + "---|" * (len(MARKS) + 2),
        )
        yield from (f"| {' | '.join(memory_cells(row))} |" for row in table)
        yield ""


def memory_cells(row: MemoryRow) -> tuple[str, ...]:
    """The columns of a row; marks that the process did not reach are empty."""
    mib = (f"{reading:,.0f}" for reading in row.mib)
    unread = [""] * (len(MARKS) - len(row.mib))
    names = row.encoder, row.work, row.precision
    growth = f"{row.growth:.2f}" if len(row.mib) > 1 else ""
    return *names, *mib, *unread, growth, row.verdict
