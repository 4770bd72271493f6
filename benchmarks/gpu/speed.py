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
IMPLEMENTATIONS = {"project": PROJECT, "transformers": TRANSFORMERS}
SEARCHES = ("s-search", "m-search")


def measured(
    load: Load,
    encoder: str,
    compute: ComputeParameters,
    implementation: str,
    work: str,
    repeats: int,
) -> Iterator[Speed]:
    """One work of an implementation, after a run that compiles and loads kernels; a search is timed once."""
    device, prepare = torch.device(load.device), IMPLEMENTATIONS[implementation][work]
    meter.forget_peak(device)
    with arithmetic(compute):
        prepare(load)()
        act = prepare(load)  # anew, since an m-search uses its encoder up
        with meter.utilisation(device) as used:
            if work in SEARCHES:
                taken, result = meter.once(act, device)
                taken /= len(result["scores"])
            else:
                taken = meter.seconds(act, device, repeats)
    yield Speed(
        work=work,
        encoder=encoder,
        precision=compute.precision,
        implementation=implementation,
        sentences=load.count,
        seconds=taken,
        peak_mib=meter.peak_mib(device),
        used_percent=used.percent,
    )
