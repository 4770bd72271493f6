"""Convolutional network that classifies attention maps by pattern, as in the paper (section 5).

3x3 convolutions to 16, 16, pool, 32, 32, pool, 64, 64 channels, a 1x1 convolution to 16, the mean over the map,
five patterns; Xavier initialisation, Adam at 1e-3, batches of 64. It is trained on maps drawn by
`lottery.attention.patterns`, since no labelled set may be redistributed, or on labelled maps of the user.

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

from lottery.attention.patterns import PATTERNS, Map, PatternAccuracy, classify_by_rule, draw
from lottery.errors import MALFORMED, UserError
from lottery.seeds import entropy, rng

SIDE = 24
BATCH, LEARNING_RATE = 64, 1e-3
HELD_OUT_SHARE = 0.2

ByPattern = Mapping[str, Sequence[Map]]


def to_pictures(map_HNN: Tensor) -> Tensor:
    """Maps resized to [H, SIDE, SIDE], each scaled so that its highest value is 1."""
    picture_HXX = F.adaptive_avg_pool2d(map_HNN, SIDE)
    return picture_HXX / picture_HXX.amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)


def network() -> nn.Sequential:
    """The network, from pictures [M, 1, X, X] to logits [M, P]; `train` initialises it."""
    parts: list[nn.Module] = []
    for channels in ((1, 16, 16), (16, 32, 32), (32, 64, 64)):
        for pair in pairwise(channels):
            parts += [nn.Conv2d(*pair, 3, padding=1), nn.ReLU()]
        parts.append(nn.MaxPool2d(2))
    last = [nn.Conv2d(64, 16, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*parts[:-1], *last, nn.Linear(16, len(PATTERNS)))


def draw_maps(count: int) -> tuple[ByPattern, ByPattern]:
    """`count` random maps of each pattern: training maps, and a fifth held out."""
    held_out = round(count * HELD_OUT_SHARE)
    return (
        _draw_maps(count - held_out, rng("patterns", "train")),
        _draw_maps(held_out, rng("patterns", "held out")),
    )


def split(maps: ByPattern) -> tuple[ByPattern, ByPattern]:
    """The maps of each pattern, split at random: training maps, and a fifth, at least one, held out."""
    stream = rng("patterns", "split")
    training: dict[str, list[Map]] = {}
    held_out: dict[str, list[Map]] = {}
    for pattern, labelled in maps.items():
        shuffled = [labelled[index] for index in stream.permutation(len(labelled))]
        count = max(1, round(len(labelled) * HELD_OUT_SHARE))
        training[pattern], held_out[pattern] = shuffled[count:], shuffled[:count]
    return training, held_out


def train(
    maps: ByPattern, held_out: ByPattern, epochs: int, progress: Callable[[int, int], None]
) -> tuple[nn.Sequential, list[PatternAccuracy]]:
    """A network trained on `maps`, and the confusion matrices of network and rule on `held_out`."""
    model, stream = network(), torch.Generator().manual_seed(entropy("recogniser"))
    _initialise(model, stream)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    picture_M1XX = torch.cat([_pictures(maps[pattern]) for pattern in PATTERNS]).unsqueeze(1)
    counts = torch.tensor([len(maps[pattern]) for pattern in PATTERNS])
    label_M = torch.arange(len(PATTERNS)).repeat_interleave(counts)
    for epoch in range(epochs):
        for rows in torch.randperm(len(label_M), generator=stream).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(model(picture_M1XX[rows]), label_M[rows]).backward()
            optimizer.step()
        progress(epoch + 1, epochs)
    return model.eval(), [*_confusion(model, held_out)]


def classify(model: nn.Sequential, picture_HXX: Tensor) -> NDArray[np.int64]:
    """The pattern [H] of each picture, as an index into PATTERNS."""
    with torch.inference_mode():
        pattern_H: NDArray[np.int64] = model(picture_HXX.unsqueeze(1)).argmax(dim=1).numpy()
    return pattern_H


def save(model: nn.Sequential, path: Path) -> None:
    """Write the network's weights."""
    path.write_bytes(serialised(model.state_dict()))


def load(path: Path) -> nn.Sequential:
    """The network in `path`. Raises UserError if it holds none."""
    model = network()
    try:
        model.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError, *MALFORMED) as error:
        raise UserError(f"{path}: no classifier of attention maps: {error}") from None
    return model.eval()


def _draw_maps(count: int, stream: np.random.Generator) -> ByPattern:
    return {pattern: [draw(pattern, stream) for _ in range(count)] for pattern in PATTERNS}


def _pictures(maps: Sequence[Map]) -> Tensor:
    """Pictures [M, X, X] of maps of different sizes."""
    return torch.cat([to_pictures(torch.from_numpy(map_NN).float()[None]) for map_NN in maps])


def _initialise(model: nn.Sequential, stream: torch.Generator) -> None:
    for part in model:
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(part.weight, generator=stream)
            nn.init.constant_(cast(Tensor, part.bias), 0)


def _confusion(model: nn.Sequential, held_out: ByPattern) -> Iterator[PatternAccuracy]:
    """Every pair of a map's pattern and the one it is classified as, with counts for network and rule."""
    for pattern in PATTERNS:
        by_network_M = classify(model, _pictures(held_out[pattern]))
        by_rule_M = np.array(
            [int(classify_by_rule(map_NN[None])[0]) for map_NN in held_out[pattern]]
        )
        for index, predicted in enumerate(PATTERNS):
            yield PatternAccuracy(
                pattern=pattern,
                told=predicted,
                recogniser=int((by_network_M == index).sum()),
                rule=int((by_rule_M == index).sum()),
            )
