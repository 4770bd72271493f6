"""A small convolutional network that tells patterns of attention apart, as the paper's (section 6).

3x3 convolutions to 16, 16, pool, 32, 32, pool, 64, 64 channels, a 1x1 to 16, the mean over the map, five
patterns; Xavier's initial values, Adam at 1e-3, batches of 64. It learns from maps drawn by
`lottery.patterns`, as no set labelled by people may be passed on.

Suffixes: M maps, P patterns, N tokens of a sentence, H heads, X side of the picture that the network sees.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from lottery.faults import Fault
from lottery.patterns import PATTERNS, Attending, Told, by_rule, draw
from lottery.seeds import entropy, rng

SIDE = 24
BATCH, RATE = 64, 1e-3
HELD_OUT = 0.2


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


def drawn(count: int, chance: np.random.Generator) -> tuple[list[NDArray[np.float64]], Tensor]:
    """`count` maps of each pattern, and their labels [M]."""
    maps = [draw(pattern, chance) for pattern in PATTERNS for _ in range(count)]
    return maps, torch.arange(len(PATTERNS)).repeat_interleave(count)


def learn(how: Attending, progress: Callable[[int, int], None]) -> tuple[nn.Sequential, list[Told]]:
    """A trained network, and what it and the rule make of maps held out: a fifth of each pattern's."""
    held_out = round(how.maps * HELD_OUT)
    maps, label_M = drawn(how.maps - held_out, rng("patterns", "train"))
    model, stream = network(), torch.Generator().manual_seed(entropy("recogniser"))
    _xavier(model, stream)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    picture_M1XX = _pictures(maps)
    for epoch in range(how.epochs):
        for rows in torch.randperm(len(label_M), generator=stream).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(model(picture_M1XX[rows]), label_M[rows]).backward()
            optimizer.step()
        progress(epoch + 1, how.epochs)
    tried, label_M = drawn(held_out, rng("patterns", "held out"))
    return model.eval(), [*_told(model, tried, label_M)]


def recognise(model: nn.Sequential, picture_HXX: Tensor) -> NDArray[np.int64]:
    """The pattern [H] of each picture, as its place in PATTERNS."""
    with torch.inference_mode():
        pattern_H: NDArray[np.int64] = model(picture_HXX.unsqueeze(1)).argmax(dim=1).numpy()
    return pattern_H


def save(model: nn.Sequential, path: Path) -> None:
    save_file(model.state_dict(), path)


def load(path: Path) -> nn.Sequential:
    """The network in `path`; a Fault where it holds none."""
    model = network()
    try:
        model.load_state_dict(load_file(path))
    except (FileNotFoundError, SafetensorError, RuntimeError) as error:
        raise Fault(f"{path}: no network that tells patterns apart: {error}") from None
    return model.eval()


def _pictures(maps: list[NDArray[np.float64]]) -> Tensor:
    return torch.stack([picture_HXX(torch.from_numpy(each).float()[None]) for each in maps])


def _xavier(model: nn.Sequential, stream: torch.Generator) -> None:
    for part in model:
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(part.weight, generator=stream)
            nn.init.constant_(cast(Tensor, part.bias), 0)


def _told(model: nn.Sequential, maps: list[NDArray[np.float64]], label_M: Tensor) -> Iterator[Told]:
    seen = recognise(model, _pictures(maps).squeeze(1))
    ruled = np.array([int(by_rule(each[None])[0]) for each in maps])
    for truth, pattern in enumerate(PATTERNS):
        own = label_M.numpy() == truth
        for at, told in enumerate(PATTERNS):
            yield Told(
                pattern=pattern,
                told=told,
                recogniser=int((seen[own] == at).sum()),
                rule=int((ruled[own] == at).sum()),
            )
