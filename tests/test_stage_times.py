"""Times of a run by stage: what its log says, added up."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.stages import by_stage, last_run, merged, text
from lottery.errors import UserError

spans = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), min_size=1)


def log(folder: Path, *jobs: tuple[str, int, float, float]) -> Path:
    """A log of jobs: name, second of the start, seconds, CPU-seconds, half a second of them for imports."""
    path = folder / "stages.jsonl"
    lines = [
        json.dumps(
            {
                "stage": name.partition("@")[0], "cell": name, "name": name, "seconds": seconds,
                "started": f"2026-01-01T00:00:{start:02}.000+00:00", "cpu": cpu, "imports": 0.5, "cores": 1,
            }
        )
        for name, start, seconds, cpu in jobs
    ]  # fmt: skip
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_stages_have_the_times_of_their_jobs(tmp_path: Path) -> None:
    path = log(tmp_path, ("one@a", 0, 10, 10), ("one@b", 5, 10, 5), ("two", 20, 10, 15))
    one, two, together = by_stage(last_run(path), cores=2)
    assert (one.jobs, one.seconds, one.cpu, one.imports, one.used) == (2, 15, 15, 1, 0.5)
    assert (two.jobs, two.seconds, two.cpu, two.used) == (1, 10, 15, 0.75)
    assert (together.jobs, together.seconds, together.cpu, together.used) == (3, 25, 30, 0.6)
    *_, wall, outside = text(last_run(path), cores=2)
    assert "30 seconds, in 5 of which no job ran" in wall
    assert "30 of 60 core-seconds, 50%" in outside


def test_jobs_of_another_stage_at_the_same_time_count_as_use(tmp_path: Path) -> None:
    one, *_ = by_stage(last_run(log(tmp_path, ("one", 0, 10, 5), ("two", 5, 10, 10))), cores=2)
    assert one.used == (5 + 5) / 20


def test_the_last_run_begins_where_a_job_would_repeat(tmp_path: Path) -> None:
    path = log(tmp_path, ("one", 0, 9, 9), ("two", 9, 9, 9), ("one", 30, 1, 1), ("three", 40, 2, 2))
    assert [(job.name, job.seconds) for job in last_run(path)] == [
        ("two", 9),
        ("one", 1),
        ("three", 2),
    ]


@given(spans)
def test_merged_spans_cover_the_same_seconds(lengths: list[tuple[int, int]]) -> None:
    pairs = [(begin, begin + length) for begin, length in lengths]
    covered = {second for begin, end in pairs for second in range(begin, end)}
    parts = [set(range(int(begin), int(end))) for begin, end in merged(pairs)]
    assert set.union(*parts) == covered
    assert sum(map(len, parts)) == len(covered)


def test_a_line_cut_short_by_a_crash_is_left_out(tmp_path: Path) -> None:
    path = log(tmp_path, ("one", 0, 9, 9))
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole[:40] + "\n" + whole + whole[:40], encoding="utf-8")
    assert [job.name for job in last_run(path)] == ["one"]


def test_a_log_without_processor_time_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stages.jsonl"
    with pytest.raises(UserError, match="no job of a run"):
        last_run(path)
    path.write_text(
        '{"stage": "one", "cell": "", "name": "one", "started": "2026-01-01T00:00:00+00:00", "seconds": 1}'
    )
    with pytest.raises(UserError, match=r"job one: .*cpu.*; run it again"):
        last_run(path)
