"""The page of a check of a GPU, in Markdown."""

from collections.abc import Iterable, Iterator

from benchmarks.gpu.records import Record, Sharing, Speed

LIMIT = "within its limit"


def text(record: Record) -> str:
    """The whole page."""
    return "\n".join(_lines(record))


def _lines(record: Record) -> Iterator[str]:
    yield f"# Check of {record.card}\n"
    yield f"Written by `make gpu-check`, with torch {record.torch}. Encoders have random weights.\n"
    if record.skipped:
        yield f"No time was left for: {', '.join(record.skipped)}.\n"
    if record.failures:
        yield f"Failed: {', '.join(record.failures)}.\n"
    yield from (f"{part}: {error}\n" for part, error in record.failed.items())
    yield "## Equality with float32 on the CPU\n"
    yield from _table(
        ("compared", "encoder", "precision", "difference", "limit", "verdict"),
        (
            (
                *(check.compared, check.encoder, check.precision),
                *(f"{check.difference:.1e}", f"{check.limit:.0e}"),
                LIMIT if check.passed else "failed",
            )
            for check in record.checks
        ),
    )
    yield "## Stages by their scripts\n"
    stages = ((row.stage, f"{row.seconds:.1f}", row.failure or "done") for row in record.stages)
    yield from _table(("stage", "seconds", "end"), stages)
    yield "## Speed\n"
    yield (
        "Seconds are medians; of searches, those of one candidate. transformers trains in batches of the same size, and"
        " takes the importance of whole batches, which is less work than that of single sentences.\n"
    )
    head = ("work", "encoder", "precision", "program", "sentences/s", "peak MiB", "GPU used")
    yield from _table(head, map(_speed, record.speeds))
    yield "## Trainings that share the device\n"
    titles = (
        "encoder",
        "trainings",
        "one after another, s",
        "side by side, s",
        "ratio",
        "GPU used",
    )
    yield from _table(titles, map(_sharing, record.sharing))


def _speed(row: Speed) -> tuple[str, ...]:
    return (
        *(row.work, row.encoder, row.precision, row.implementation, f"{row.throughput:,.0f}"),
        *(_number(row.peak_mib), _number(row.used_percent, " %")),
    )


def _sharing(row: Sharing) -> tuple[str, ...]:
    if row.failure:
        return row.encoder, str(row.trainings), row.failure, "", "", ""
    return (
        *(row.encoder, str(row.trainings)),
        *(f"{row.one_after_another:.2f}", f"{row.side_by_side:.2f}"),
        f"{row.one_after_another / row.side_by_side:.2f}",
        _number(row.used_percent, " %"),
    )


def _number(value: float | None, unit: str = "") -> str:
    return "not measured" if value is None else f"{value:,.0f}{unit}"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    titles = [*head]
    yield f"| {' | '.join(titles)} |"
    yield f"|{'---|' * len(titles)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
