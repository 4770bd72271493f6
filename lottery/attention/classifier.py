"""A small convolutional network that tells patterns of attention apart, as the paper's (section 5).

3x3 convolutions to 16, 16, pool, 32, 32, pool, 64, 64 channels, a 1x1 to 16, the mean over the map, five
patterns; Xavier's initial values, Adam at 1e-3, batches of 64. It learns from maps drawn by
`lottery.patterns`, as no set labelled by people may be passed on, or from the labelled maps of a user.

Suffixes: M maps, P patterns, N tokens of a sentence, H heads, X side of the picture that the network sees.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialised
from torch import Tensor, nn
from torch.nn import functional as F

from lottery.attention.patterns import PATTERNS, Map, PatternAccuracy, by_rule, draw
from lottery.errors import UserError
from lottery.seeds import entropy, rng

SIDE = 24
BATCH, RATE = 64, 1e-3
HELD_OUT = 0.2

ByPattern = Mapping[str, Sequence[Map]]


def picture_HXX(map_HNN: Tensor) -> Tensor:
    """Maps of any size as the network sees them: SIDE x SIDE, the highest value of each 1."""
    scaled_HXX = F.adaptive_avg_pool2d(map_HNN, SIDE)
    return scaled_HXX / scaled_HXX.amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)


def network() -> nn.Sequential:
    """Pictures [M, 1, X, X] to logits [M, P]; initial values are drawn by `learn`."""
    parts: list[nn.Module] = []
    for channels in ((1, 16, 16), (16, 32, 32), (32, 64, 64)):
        for pair in pairwise(channels):
            parts += [nn.Conv2d(*pair, 3, padding=1), nn.ReLU()]
        parts.append(nn.MaxPool2d(2))
    last = [nn.Conv2d(64, 16, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*parts[:-1], *last, nn.Linear(16, len(PATTERNS)))


def drawn(count: int) -> tuple[ByPattern, ByPattern]:
    """`count` maps of each pattern, drawn: those to learn from, and a fifth held out."""
    held_out = round(count * HELD_OUT)
    learned, tried = (
        {pattern: [draw(pattern, chance) for _ in range(size)] for pattern in PATTERNS}
        for size, chance in (
            (count - held_out, rng("patterns", "train")),
            (held_out, rng("patterns", "held out")),
        )
    )
    return learned, tried


def split(maps: ByPattern) -> tuple[ByPattern, ByPattern]:
    """The maps of each pattern in two: those to learn from, and a fifth, at least one, held out."""
    chance = rng("patterns", "split")
    order = {pattern: chance.permutation(len(own)) for pattern, own in maps.items()}
    cut = {pattern: max(1, round(len(own) * HELD_OUT)) for pattern, own in maps.items()}
    return (
        {name: [own[at] for at in order[name][cut[name] :]] for name, own in maps.items()},
        {name: [own[at] for at in order[name][: cut[name]]] for name, own in maps.items()},
    )


def train(
    maps: ByPattern, tried: ByPattern, epochs: int, progress: Callable[[int, int], None]
) -> tuple[nn.Sequential, list[PatternAccuracy]]:
    """A network trained on `maps`, and what it and the rule make of the maps `tried`."""
    model, stream = network(), torch.Generator().manual_seed(entropy("recogniser"))
    _xavier(model, stream)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    picture_M1XX = torch.cat([_pictures(maps[pattern]) for pattern in PATTERNS]).unsqueeze(1)
    counts = torch.tensor([len(maps[pattern]) for pattern in PATTERNS])
    label_M = torch.arange(len(PATTERNS)).repeat_interleave(counts)
    for epoch in range(epochs):
        for rows in torch.randperm(len(label_M), generator=stream).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(model(picture_M1XX[rows]), label_M[rows]).backward()
            optimizer.step()
        progress(epoch + 1, epochs)
    return model.eval(), [*_told(model, tried)]


def classify(model: nn.Sequential, picture_HXX: Tensor) -> NDArray[np.int64]:
    """The pattern [H] of each picture, as its place in PATTERNS."""
    with torch.inference_mode():
        pattern_H: NDArray[np.int64] = model(picture_HXX.unsqueeze(1)).argmax(dim=1).numpy()
    return pattern_H


def save(model: nn.Sequential, path: Path) -> None:
    path.write_bytes(serialised(model.state_dict()))


def load(path: Path) -> nn.Sequential:
    """The network in `path`; a UserError where it holds none."""
    model = network()
    try:
        model.load_state_dict(load_file(path))
    except (FileNotFoundError, SafetensorError, RuntimeError) as error:
        raise UserError(f"{path}: no network that tells patterns apart: {error}") from None
    return model.eval()


def _pictures(maps: Sequence[Map]) -> Tensor:
    """[M, X, X]"""
    return torch.cat([picture_HXX(torch.from_numpy(each).float()[None]) for each in maps])


def _xavier(model: nn.Sequential, stream: torch.Generator) -> None:
    for part in model:
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(part.weight, generator=stream)
            nn.init.constant_(cast(Tensor, part.bias), 0)


def _told(model: nn.Sequential, tried: ByPattern) -> Iterator[PatternAccuracy]:
    for pattern in PATTERNS:
        seen = classify(model, _pictures(tried[pattern]))
        ruled = np.array([int(by_rule(each[None])[0]) for each in tried[pattern]])
        for at, told in enumerate(PATTERNS):
            yield PatternAccuracy(
                pattern=pattern,
                told=told,
                recogniser=int((seen == at).sum()),
                rule=int((ruled == at).sum()),
            )
