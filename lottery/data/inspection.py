"""Inspection of a checkpoint before anything is computed with it: configuration, tensors, tokenizer."""

from pathlib import Path

from lottery.checkpoint import config, tensors
from lottery.checkpoint.layout import pooler_shapes, tensor_shapes
from lottery.data.tokenizer import read_tokenizer
from lottery.errors import UserError

NO_HEAD = "It was pre-trained without {dense}: every seed draws a new one."


def inspect(folder: Path) -> list[str]:
    """Notes on the pre-trained encoder in `folder`.

    Raises UserError, naming file and key, if it cannot be read, or would be computed otherwise than it says.
    """
    about = config.read(folder)
    family, stored = about.family, tensors.read(folder, about.family)
    if about.is_pruned:
        raise UserError(
            f"{folder / 'config.json'}: heads or MLPs are pruned; the study starts from a whole encoder"
        )
    pooler, shapes = pooler_shapes(about), tensor_shapes(about)
    has_pooler = bool(pooler.keys() & stored.keys())
    for name, shape in shapes.items():
        if has_pooler or name not in pooler:
            tensors.require(folder, family, stored, name, shape)
    tensors.require_no_more(folder, family, stored, shapes)
    read_tokenizer(folder)
    return [] if has_pooler else [NO_HEAD.format(dense=family.head.dense)]
