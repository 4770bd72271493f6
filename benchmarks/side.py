"""One contender in a process of its own: `python -m benchmarks.side <module> <work> <load>`.

It reads the file that the arrays of its next run should go to, a line at a time, and answers each line with
a measured run, so that contenders can take turns without sharing memory, threads or imports.
"""

import importlib
import os
import sys
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch.nn import functional as F

from benchmarks.load import Load
from benchmarks.measure import memory, read


def main(module: str, work: str, load: str) -> None:
    """Serve until the input ends; what libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    torch.set_num_threads(1)
    contender = getattr(importlib.import_module(f"benchmarks.{module}"), work)
    given = msgspec.json.decode(load, type=Load, dec_hook=_path)
    _warm()
    empty = memory("VmRSS")
    for line in sys.stdin:
        reading, arrays = read(contender, given, empty)
        np.savez(Path(line.strip()), allow_pickle=False, **arrays)
        print(msgspec.json.encode(reading).decode(), file=answers, flush=True)


def _warm() -> None:
    """Bring into memory the code that every contender runs, which is none of its model's."""
    x = torch.randn(64, 384, requires_grad=True)
    thought = F.gelu(F.linear(x, torch.randn(1536, 384)))
    split = F.layer_norm(x, (384,)).view(1, 12, 64, 32)
    (F.scaled_dot_product_attention(split, split, split).sum() + thought.sum()).backward()


def _path(_: type[Path], text: str) -> Path:
    return Path(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
