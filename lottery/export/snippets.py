"""How each form of an exported model is used: Python that runs in its folder."""

from collections.abc import Mapping

from lottery.export.formats import INT8, MASK, ONNX, SMALL, TRANSFORMERS, Format
from lottery.export.trained import TrainedModel

PIPELINE = """\
from transformers import pipeline

classify = pipeline("text-classification", "{folder}")
print(classify({text}))"""
REGISTERED = f"""\
import lottery.export.registration  # transformers learns to read encoders without some heads and MLPs
{PIPELINE}"""
RUNTIME = """\
import numpy as np
import onnxruntime
from tokenizers import Tokenizer

tokens = Tokenizer.from_file("tokenizer.json").encode({texts})
columns = {{"input_ids": tokens.ids, "attention_mask": tokens.attention_mask, "token_type_ids": tokens.type_ids}}
model = onnxruntime.InferenceSession("{file}")
print(model.run(["logits"], {{name: np.array([row]) for name, row in columns.items()}}))"""
UNPACKED = """\
from pathlib import Path

from lottery.export import bitmask

weights = bitmask.load(Path("mask.safetensors"))
print(len(weights), "tensors")"""
SNIPPETS: Mapping[str, str] = {
    TRANSFORMERS.name: PIPELINE,
    SMALL.name: REGISTERED,
    MASK.name: UNPACKED,
    ONNX.name: RUNTIME,
    INT8.name: RUNTIME,
}
SENTENCE, SECOND = "A man is playing a guitar.", "Somebody makes music."


def snippet(model: TrainedModel, form: Format) -> str:
    """Python that loads a form and applies it to a sentence, or to a pair of them if the task has pairs."""
    pairs = bool(model.dev.types_T.any())
    return SNIPPETS[form.name].format(
        folder="small" if form is SMALL else ".",
        file=form.file,
        text=f'{{"text": "{SENTENCE}", "text_pair": "{SECOND}"}}' if pairs else f'"{SENTENCE}"',
        texts=f'"{SENTENCE}", "{SECOND}"' if pairs else f'"{SENTENCE}"',
    )
