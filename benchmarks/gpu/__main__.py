"""`python -m benchmarks.gpu`: check and time a GPU, in ten minutes at most, without network, git or DVC.

It needs torch, transformers, numpy, msgspec, safetensors, typer and rich; for the stages also pandas, pyarrow, scipy,
scikit-learn, psutil and ruamel.yaml. It resumes nothing, and writes what it has after every row.
"""

import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import torch
from rich.console import Console
from rich.markdown import Markdown
from typer import Option

from benchmarks import files
from benchmarks.encoders import Encoders
from benchmarks.gpu import equality, page, sharing, smoke, speed
from benchmarks.gpu.records import Check, Record, Sharing, Speed, StageRun
from benchmarks.load import Load
from lottery.data import examples
from lottery.errors import UserError
from lottery.runtime.parameters import ComputeParameters
from stages.shell import cli

LONGEST = 64
Row = Check | StageRun | Speed | Sharing
Part = Callable[[], Iterator[Row]]


def main(
    out: Annotated[
        Path | None,
        Option(
            help="Folder of results; else reports/benchmarks, with --toy build/benchmarks/quick."
        ),
    ] = None,
    minutes: Annotated[float, Option(min=0, help="Nothing starts after these.")] = 8.0,
    toy: Annotated[bool, Option(help="On the CPU, with a toy encoder: seconds.")] = False,
) -> None:
    """Compare a GPU with the CPU, run stages on it, and time it next to transformers."""
    if not toy and not torch.cuda.is_available():
        raise UserError("torch finds no GPU; to try the check itself on the CPU: --toy")
    end, target = time.monotonic() + 60 * minutes, files.target(out, toy)
    record = Record(card="the CPU, at toy size" if toy else torch.cuda.get_device_name())
    with tempfile.TemporaryDirectory() as folder:
        for name, part in (_toy if toy else _parts)(Path(folder)).items():
            if time.monotonic() > end:
                record.skipped.append(name)
                continue
            _run(name, part, record, target)
    _write(record, target)
    Console(highlight=False).print(Markdown(page.text(record)))
    if record.failures:
        raise UserError(f"failed: {', '.join(record.failures)}; see {target / 'gpu.md'}")


def _run(name: str, part: Part, record: Record, target: Path) -> None:
    try:
        for row in part():
            _add(record, row)
            _write(record, target)
    except Exception as error:  # noqa: BLE001 - the other parts run, whatever ends this one
        traceback.print_exc()
        record.failed[name] = f"{type(error).__name__}: {error}".splitlines()[0]


def _add(record: Record, row: Row) -> None:
    match row:
        case Check():
            record.checks.append(row)
        case StageRun():
            record.stages.append(row)
        case Speed():
            record.speeds.append(row)
        case Sharing():
            record.sharing.append(row)


def _write(record: Record, target: Path) -> None:
    files.save(record, target / "gpu.json")
    files.write(page.text(record), target / "gpu.md")


def _parts(folder: Path) -> dict[str, Part]:
    """The parts of the whole check by name, the most important first."""
    encoders = Encoders(Path(), Path(), folder)
    few, many = encoders.noise(64, LONGEST), encoders.noise(4096, LONGEST)
    small = partial(Load, sentences=few, count=64, batch=16, rate=0.3, device="cuda")
    large = partial(Load, sentences=many, batch=32, rate=0.2, device="cuda")
    minilm, base = encoders.random("minilm"), encoders.random("base")
    exact, fast = (_compute("cuda", precision) for precision in ("float32", "bfloat16"))
    parts = _equality(small(minilm), "minilm", exact) | _equality(small(minilm), "minilm", fast)
    parts["stages"] = partial(_stages, folder, minilm, few, "cuda")
    for size, path, count in (("minilm", minilm, 2048), ("base", base, 512)):
        load = large(path, count=count)
        parts |= _speed(load, size, exact, 3) | _speed(load, size, fast, 3)
        parts |= _sharing(load, size, fast, (2, 4))
    return parts


def _toy(folder: Path) -> dict[str, Part]:
    """Each part once, at toy size on the CPU."""
    encoders = Encoders(Path(), Path(), folder)
    toy, noise = encoders.toy(), encoders.noise(32)
    load, compute = Load(toy, noise, 16, batch=8, rate=0.3), _compute("cpu", "float32")
    return {
        **_equality(load, "toy", compute),
        "stages": partial(_stages, folder, toy, noise, "cpu"),
        **_speed(load, "toy", compute, 1),
        **_sharing(load, "toy", compute, (2,)),
    }


def _compute(device: str, precision: str) -> ComputeParameters:
    values = {"threads": 1, "alone": 1, "device": device, "precision": precision}
    return msgspec.convert(values, ComputeParameters)


def _stages(folder: Path, encoder: Path, sentences: Path, device: str) -> Iterator[StageRun]:
    return smoke.run(folder / "run", encoder, examples.load(sentences), device)


def _equality(load: Load, encoder: str, compute: ComputeParameters) -> dict[str, Part]:
    name = f"equality of {encoder} in {compute.precision}"
    return {name: partial(equality.compared, load, encoder, compute)}


def _speed(load: Load, encoder: str, compute: ComputeParameters, repeats: int) -> dict[str, Part]:
    return {
        f"{work} of {encoder} in {compute.precision} by {name}": partial(
            speed.measured, load, encoder, compute, name, work, repeats
        )
        for name, works in speed.IMPLEMENTATIONS.items()
        for work in works
    }


def _sharing(
    load: Load, encoder: str, compute: ComputeParameters, counts: tuple[int, ...]
) -> dict[str, Part]:
    return {
        f"{count} trainings of {encoder} side by side": partial(
            sharing.measured, load, encoder, compute, count
        )
        for count in counts
    }


if __name__ == "__main__":
    cli.run(main)
