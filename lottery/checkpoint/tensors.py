"""Tensors of a checkpoint, from one safetensors file or several; nothing is unpickled."""

from collections.abc import Container, Iterator, Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from lottery.checkpoint.family import Family
from lottery.checkpoint.layout import own_name, transformers_name
from lottery.checkpoint.weight_files import ADAPTER, INDEX, weight_files
from lottery.errors import MALFORMED, UserError

ENCODER_PREFIXES = ("embeddings.", "layers.", "position_bias.")
"""Prefixes of the names of an encoder's tensors, but for its head."""
HOOK = "_orig"
"""Suffix of the names that torch.nn.utils.prune gives to weights while its masks are attached."""


def read(folder: Path, family: Family) -> dict[str, Tensor]:
    """All tensors in `folder`, by their names in this project.

    Raises UserError if they cannot be read, or if two have one name here.
    """
    if (folder / ADAPTER).exists():
        raise UserError(
            f"{folder / ADAPTER}: an adapter; merge it into its encoder (merge_and_unload) and save that"
        )
    tensors: dict[str, Tensor] = {}
    for file in weight_files(folder):
        try:
            stored = load_file(file)
        except FileNotFoundError:
            raise UserError(f"{file}: missing; {INDEX} names it") from None
        except (SafetensorError, *MALFORMED) as error:
            raise UserError(f"{file}: {file.name} is damaged: {error}") from None
        for name, tensor in stored.items():
            ours = own_name(name, family)
            if ours in tensors:
                raise UserError(
                    f"{file}: {name} is the second tensor that would be read as {transformers_name(ours, family)}"
                )
            tensors[ours] = tensor
    return tensors


def require(
    folder: Path, family: Family, tensors: Mapping[str, Tensor], name: str, shape: tuple[int, ...]
) -> None:
    """Raise UserError if a tensor is missing, of another shape than `shape`, not of floats, or not finite."""
    label, tensor = transformers_name(name, family), tensors.get(name)
    if tensor is None:
        hint = "".join(_hints(name, tensors))
        raise UserError(f"{folder}: the checkpoint has no tensor {label}{hint}")
    if tensor.shape != shape:
        raise UserError(
            f"{folder}: {label} has shape {tuple(tensor.shape)}, not {shape} as config.json and its defaults say"
        )
    if not tensor.is_floating_point() or tensor.element_size() < 2:
        kind = str(tensor.dtype).removeprefix("torch.")
        raise UserError(
            f"{folder}: {label} holds {kind}; quantised weights are not read, give the original ones"
        )
    if not tensor.float().sum().isfinite():
        raise UserError(f"{folder}: {label} has NaN or infinite weights")


def require_no_more(
    folder: Path, family: Family, tensors: Mapping[str, Tensor], names: Container[str]
) -> None:
    """Raise UserError if the encoder in a checkpoint has tensors of other names, which would not be computed with."""
    for name in tensors:
        is_buffer = name.endswith(
            "_ids"
        )  # numbers of positions and types, which older releases have saved
        if name.startswith(ENCODER_PREFIXES) and name not in names and not is_buffer:
            raise UserError(
                f"{folder}: {transformers_name(name, family)} is nothing that the encoder in config.json has:"
                " more layers, an adapter, or another architecture"
            )


def _hints(name: str, tensors: Mapping[str, Tensor]) -> Iterator[str]:
    """Hints at the reason for which a tensor is missing."""
    if f"{name}{HOOK}" in tensors:
        yield ", but a mask of torch.nn.utils.prune; call prune.remove before saving"
    elif any("lora_" in other for other in tensors):
        yield ", but LoRA matrices; merge them into the encoder and save that"
