"""Time of a finished run, stage by stage, from its log: `python -m benchmarks.stages` prints a table for a page."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
from typer import Argument, Option

from lottery.errors import UserError
from lottery.runtime.cores import usable_cores
from stages.shell import cli, eta

Span = tuple[float, float]
"""Begin and end in seconds."""


class JobTimes(msgspec.Struct, frozen=True):
    """A line of the log. cpu: CPU-seconds of all processes of the job, of which `imports` before its work began."""

    stage: str
    name: str
    started: datetime
    seconds: float
    cpu: float
    imports: float

    @property
    def span(self) -> Span:
        """Start and end of the job, in seconds since 1970."""
        begin = self.started.timestamp()
        return begin, begin + self.seconds


class StageTimes(msgspec.Struct, frozen=True):
    """Times of all jobs of a stage.

    seconds: in which at least one ran. used: share of all cores that jobs, also others, used in that time.
    """

    stage: str
    jobs: int
    seconds: float
    cpu: float
    imports: float
    used: float


def last_run(log: Path) -> list[JobTimes]:
    """The jobs of the last run, each as it was last logged. Raises UserError if the log has no CPU-seconds."""
    jobs = list[JobTimes]()
    for entry in reversed(eta.entries(log)):
        if entry["name"] is None:  # run by hand
            continue
        if entry["name"] in {job.name for job in jobs}:
            break
        try:
            jobs.append(msgspec.convert(entry, JobTimes))
        except msgspec.ValidationError as error:
            raise UserError(
                f"{log}: job {entry['name']}: {error}; run it again with this version"
            ) from None
    if not jobs:
        raise UserError(f"{log}: no job of a run; make one with: lottery repro")
    return jobs[::-1]


def by_stage(jobs: Sequence[JobTimes], cores: int) -> list[StageTimes]:
    """Times of each stage, in the order in which they began, and of all together."""
    stages = dict.fromkeys(job.stage for job in sorted(jobs, key=lambda job: job.span))
    groups = [(stage, [job for job in jobs if job.stage == stage]) for stage in stages]
    return [_times(name, group, jobs, cores) for name, group in (*groups, ("all", jobs))]


def _times(
    name: str, group: Sequence[JobTimes], jobs: Sequence[JobTimes], cores: int
) -> StageTimes:
    spans = list(merged(job.span for job in group))
    seconds = sum(end - begin for begin, end in spans)
    # The CPU time of a job counts as spread evenly over it.
    busy = sum(job.cpu / job.seconds * _common(job.span, spans) for job in jobs if job.seconds)
    cpu, imports = (sum(getattr(job, kind) for job in group) for kind in ("cpu", "imports"))
    return StageTimes(name, len(group), seconds, cpu, imports, busy / (seconds * cores))


def merged(spans: Iterable[Span]) -> Iterator[Span]:
    """The spans of time that are in at least one of these, in order."""
    begin, end = 0.0, 0.0
    for first, last in sorted(spans):
        if first > end:
            if end > begin:
                yield begin, end
            begin, end = first, last
        end = max(end, last)
    yield begin, end


def _common(span: Span, spans: Sequence[Span]) -> float:
    """Seconds of a span that are in any of `spans`, which do not overlap."""
    return sum(max(0.0, min(span[1], end) - max(span[0], begin)) for begin, end in spans)


def text(jobs: Sequence[JobTimes], cores: int) -> Iterator[str]:
    """The table as Markdown, and how much of the cores was used from the first start to the last end."""
    yield f"| stage | jobs | seconds | CPU-seconds | of which imports | used of {cores} cores |"
    yield "|---|---|---|---|---|---|"
    rows = by_stage(jobs, cores)
    for row in rows:
        times = f"{row.seconds:,.0f} | {row.cpu:,.0f} | {row.imports:,.0f}"
        yield f"| {row.stage} | {row.jobs} | {times} | {row.used:.0%} |"
    whole = max(job.span[1] for job in jobs) - min(job.span[0] for job in jobs)
    idle, outside = whole - rows[-1].seconds, whole * cores - rows[-1].cpu
    yield ""
    yield f"From the first start to the last end: {whole:,.0f} seconds, in {idle:,.0f} of which no job ran."
    share = outside / whole / cores
    yield f"DVC and waiting took {outside:,.0f} of {whole * cores:,.0f} core-seconds, {share:.0%}."


def main(
    log: Annotated[Path, Argument(help="The log of a run.")] = cli.LOG,
    cores: Annotated[int, Option(min=1, help="Cores of the machine that ran it.")] = usable_cores(),
) -> None:
    """Print where the time of the last run went, stage by stage."""
    for line in text(last_run(log), cores):
        cli.console.print(line, markup=False)


if __name__ == "__main__":
    cli.run(main)
