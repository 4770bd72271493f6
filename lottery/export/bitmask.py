"""An m-pruned encoder as one file: a bit for each prunable weight, the weights that are left, and all other tensors.

It is smaller on disk, not in memory and not faster: no runtime computes with single missing weights.
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialised
from torch import Tensor

from lottery.errors import MALFORMED, UserError
from lottery.model.encoder import Encoder
from lottery.subnetwork import Subnetwork, unpacked

BITS, LEFT = "mask", "kept"
"""Suffixes of the two entries of a pruned tensor: its bits, eight a byte, and its weights where they are 1."""


def save(encoder: Encoder, subnetwork: Subnetwork, file: Path) -> None:
    """Write the encoder, which is pruned to `subnetwork`, as a safetensors file.

    The header has the shapes of the pruned tensors. Raises ValueError if `subnetwork` is not one of weights, or if a
    weight that it prunes is not 0.
    """
    state, entries = encoder.state_dict(), dict[str, Tensor]()
    if not subnetwork.keys() <= state.keys():
        raise ValueError("not a subnetwork of weights")
    for name, tensor in state.items():
        if name not in subnetwork:
            entries[name] = tensor.contiguous()
            continue
        kept = torch.tensor(subnetwork[name])
        if tensor[~kept].any():
            raise ValueError(f"{name} has weights that the subnetwork prunes")
        entries[f"{name}.{BITS}"] = torch.from_numpy(np.packbits(kept.numpy()))
        entries[f"{name}.{LEFT}"] = tensor[kept]
    # A single entry: safetensors orders several entries differently in every process.
    header = {"about": json.dumps({"shapes": subnetwork.shapes})}
    file.write_bytes(serialised(entries, header))


def load(file: Path) -> dict[str, Tensor]:
    """The tensors of an encoder that `save` wrote, for `Encoder.of`; pruned weights are 0.

    Raises UserError if the file is missing or malformed.
    """
    try:
        with safe_open(file, framework="pt") as stored:
            shapes = json.loads(stored.metadata()["about"])["shapes"]
            entries = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        pruned = {name: _unpacked(entries, name, shape) for name, shape in shapes.items()}
    except (SafetensorError, RuntimeError, *MALFORMED) as error:
        raise UserError(f"{file}: no encoder with a bit mask ({error}); export it again") from None
    return entries | pruned


def _unpacked(entries: dict[str, Tensor], name: str, shape: list[int]) -> Tensor:
    """A pruned tensor of this shape from its two entries, which are taken out."""
    bits, kept = entries.pop(f"{name}.{BITS}"), entries.pop(f"{name}.{LEFT}")
    mask = unpacked(bits.numpy(), shape)
    tensor = kept.new_zeros(mask.shape)
    tensor[torch.from_numpy(mask)] = kept
    return tensor
