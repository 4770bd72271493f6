"""One implementation in its own process: `python -m benchmarks.worker <module> <work> <load>`.

For every line on stdin, the file for the result, it runs once and prints the reading. So implementations take turns
without sharing memory, threads or imports.
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
    """Serve until stdin ends; output of libraries goes to stderr."""
    readings = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    torch.set_num_threads(1)
    prepare = getattr(importlib.import_module(f"benchmarks.{module}"), work)
    decoded = msgspec.json.decode(load, type=Load, dec_hook=_path)
    _load_kernels()
    empty = memory("VmRSS")
    for line in sys.stdin:
        reading, arrays = read(prepare, decoded, empty)
        np.savez(Path(line.strip()), allow_pickle=False, **arrays)
        print(msgspec.json.encode(reading).decode(), file=readings, flush=True)


def _load_kernels() -> None:
    """Load torch's code for the operations of every implementation, which is not memory of a model."""
    x = torch.randn(64, 384, requires_grad=True)
    hidden = F.gelu(F.linear(x, torch.randn(1536, 384)))
    split = F.layer_norm(x, (384,)).view(1, 12, 64, 32)
    (F.scaled_dot_product_attention(split, split, split).sum() + hidden.sum()).backward()


def _path(_: type[Path], text: str) -> Path:
    return Path(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
