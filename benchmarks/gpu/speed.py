"""Throughput of trainings, scoring, importance and both searches, next to transformers on the same device."""

from collections.abc import Callable, Iterator

import torch

from benchmarks import project, transformers
from benchmarks.gpu import meter
from benchmarks.gpu.records import Speed
from benchmarks.load import Load
from benchmarks.measure import Act
from lottery.runtime.compute import arithmetic
from lottery.runtime.parameters import ComputeParameters

Works = dict[str, Callable[[Load], Act]]
PROJECT: Works = {
    "training": project.finetune,
    "scoring": project.scoring,
    "importance": project.importance,
    "s-search": project.s_search,
    "m-search": project.m_search,
}
TRANSFORMERS: Works = {
    "training": transformers.finetune,
    "scoring": transformers.scoring,
    "importance": transformers.importance,
}
"""Its importance is of whole batches; a candidate of a search would cost it a pass of importance or of scoring."""
SEARCHES = ("s-search", "m-search")


def measured(load: Load, encoder: str, compute: ComputeParameters, repeats: int) -> Iterator[Speed]:
    """Every work of both implementations."""
    for name, works in (("project", PROJECT), ("transformers", TRANSFORMERS)):
        for work in works:
            yield _row(works[work], load, encoder, compute, work, name, repeats)


def _row(
    prepare: Callable[[Load], Act],
    load: Load,
    encoder: str,
    compute: ComputeParameters,
    work: str,
    name: str,
    repeats: int,
) -> Speed:
    device = torch.device(load.device)
    meter.forget_peak(device)
    with arithmetic(compute):
        if (
            work in SEARCHES
        ):  # an m-search uses its encoder up, so each is one run, after a first for the kernels
            prepare(load)()
            act = prepare(load)
            with meter.utilisation(device) as used:
                taken, result = meter.once(act, device)
            taken /= len(result["scores"])
        else:
            act = prepare(load)
            with meter.utilisation(device) as used:
                taken = meter.seconds(act, device, repeats)
    return Speed(
        work=work,
        encoder=encoder,
        precision=compute.precision,
        implementation=name,
        sentences=load.count,
        seconds=taken,
        peak_mib=meter.peak_mib(device),
        used_percent=used.percent,
    )
