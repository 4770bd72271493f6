"""`python -m benchmarks.gpu`: check and time a GPU, in ten minutes at most, without network, git or DVC.

It needs torch, transformers, numpy, msgspec, safetensors, typer and rich; for the stages also pandas, pyarrow, scipy,
scikit-learn, psutil and ruamel.yaml. It resumes nothing, and writes what it has after every row.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import torch
from rich.console import Console
from rich.markdown import Markdown
from typer import Option

from benchmarks.encoders import Encoders
from benchmarks.gpu import equality, page, records, sharing, smoke, speed
from benchmarks.gpu.records import Check, Record, Sharing, Speed, StageRun
from benchmarks.load import Load
from lottery.data import examples
from lottery.errors import UserError
from lottery.runtime.parameters import ComputeParameters
from stages.shell import cli

PRECISIONS = ("float32", "bfloat16")
LONGEST = 64
Row = Check | StageRun | Speed | Sharing
Part = Callable[[], Iterator[Row]]


def main(
    out: Annotated[Path, Option(help="Folder for gpu.json and gpu.md.")] = Path(
        "reports/benchmarks"
    ),
    minutes: Annotated[float, Option(min=0, help="Nothing starts after these.")] = 8.0,
    toy: Annotated[bool, Option(help="On the CPU, with a toy encoder: seconds.")] = False,
) -> None:
    """Compare a GPU with the CPU, run stages on it, and time it next to transformers."""
    if not toy and not torch.cuda.is_available():
        raise UserError("torch finds no GPU; to try the check itself on the CPU: --toy")
    end = time.monotonic() + 60 * minutes
    record = Record(card="the CPU, at toy size" if toy else torch.cuda.get_device_name())
    with tempfile.TemporaryDirectory() as folder:
        for name, part in (_toy if toy else _parts)(Path(folder)).items():
            if time.monotonic() > end:
                record.skipped.append(name)
                continue
            for row in part():
                _add(record, row)
                _write(record, out)
                if time.monotonic() > end:
                    record.skipped.append(f"the end of {name}")
                    break
    _write(record, out)
    Console(highlight=False).print(Markdown(page.text(record)))
    if record.failures:
        raise UserError(f"failed: {', '.join(record.failures)}; see {out / 'gpu.md'}")


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


def _write(record: Record, out: Path) -> None:
    records.save(record, out / "gpu.json")
    records.write(page.text(record).encode(), out / "gpu.md")


def _parts(folder: Path) -> dict[str, Part]:
    """The parts of the whole check by name, the most important first."""
    encoders = Encoders(Path(), Path(), folder)
    few, many = encoders.noise(64, LONGEST), encoders.noise(4096, LONGEST)
    small = partial(Load, sentences=few, count=64, batch=16, rate=0.3, device="cuda")
    large = partial(Load, sentences=many, batch=32, rate=0.2, device="cuda")
    minilm, base = encoders.random("minilm"), encoders.random("base")
    parts: dict[str, Part] = {}
    for precision in PRECISIONS:
        compute = _compute("cuda", precision)
        parts[f"equality in {precision}"] = partial(
            equality.compared, small(minilm), "minilm", compute
        )
    parts["stages"] = partial(_stages, folder, minilm, few, "cuda")
    for size, path, count in (("minilm", minilm, 2048), ("base", base, 512)):
        for precision in PRECISIONS:
            load = large(path, count=count)
            parts[f"speed of {size} in {precision}"] = partial(
                speed.measured, load, size, _compute("cuda", precision), 3
            )
        shared, compute = large(path, count=count), _compute("cuda", "bfloat16")
        parts[f"sharing by {size}"] = partial(_shared, shared, size, compute, (2, 4))
    return parts


def _toy(folder: Path) -> dict[str, Part]:
    """Each part once, at toy size on the CPU."""
    encoders = Encoders(Path(), Path(), folder)
    toy, noise = encoders.toy(), encoders.noise(32)
    load, compute = Load(toy, noise, 16, batch=8, rate=0.3), _compute("cpu", "float32")
    return {
        "equality": partial(equality.compared, load, "toy", compute),
        "stages": partial(_stages, folder, toy, noise, "cpu"),
        "speed": partial(speed.measured, load, "toy", compute, 1),
        "sharing": partial(_shared, load, "toy", compute, (2,)),
    }


def _compute(device: str, precision: str) -> ComputeParameters:
    values = {"threads": 1, "alone": 1, "device": device, "precision": precision}
    return msgspec.convert(values, ComputeParameters)


def _stages(folder: Path, encoder: Path, sentences: Path, device: str) -> Iterator[StageRun]:
    return smoke.run(folder / "run", encoder, examples.load(sentences), device)


def _shared(
    load: Load, encoder: str, compute: ComputeParameters, counts: tuple[int, ...]
) -> Iterator[Sharing]:
    for count in counts:
        yield sharing.measured(load, encoder, compute, count)


if __name__ == "__main__":
    cli.run(main)
