"""Exported encoders of every family: transformers and onnxruntime compute what is computed here."""

from pathlib import Path

import numpy as np
import pytest
from transformers import AutoConfig

from lottery.checkpoint.supported import FAMILIES
from lottery.export import eight_bits, onnx_file, portable, ready
from lottery.export.forms import transformers
from lottery.model.encoder import Encoder
from lottery.model.evaluation import predict
from lottery.tasks import get_task
from tests import toy_families, toys

TASK = get_task("mnli")


@pytest.fixture
def encoder(model_type: str, tmp_path: Path) -> Encoder:
    """An encoder with other numbers of heads in each layer: none in one, and no MLP in another."""
    whole, _ = toy_families.encoder(model_type, tmp_path / "theirs")
    return whole.extract(toys.subnetwork(1, whole.config))


@pytest.mark.parametrize("model_type", FAMILIES)
def test_transformers_reads_a_pruned_encoder_as_one_of_its_family(
    encoder: Encoder, tmp_path: Path
) -> None:
    examples = toy_families.sentences(encoder, 20)
    portable.write(portable.zero_filled(encoder), TASK, tmp_path)
    family, about = encoder.config.family, AutoConfig.from_pretrained(tmp_path)
    assert about.model_type == family.model_type
    assert about.architectures == [f"{family.classes}ForSequenceClassification"]
    assert about.id2label == dict(enumerate(TASK.labels))
    logits_NC = ready.logits(transformers.load(tmp_path / "model.safetensors"), examples)
    np.testing.assert_allclose(logits_NC, predict(encoder, examples), rtol=0, atol=1e-5)


@pytest.mark.parametrize("model_type", ["roberta", "distilbert", "electra", "mpnet"])
def test_onnxruntime_computes_the_logits_of_a_pruned_encoder(
    encoder: Encoder, tmp_path: Path
) -> None:
    examples, file = toy_families.sentences(encoder, 30), tmp_path / "model.onnx"
    onnx_file.write(encoder, file)
    expected_NC = predict(encoder, examples)
    logits_NC = ready.logits(onnx_file.load(file), examples)
    np.testing.assert_allclose(logits_NC, expected_NC, rtol=0, atol=1e-5)
    eight_bits.write(file, tmp_path / "int8.onnx")
    logits_NC = ready.logits(onnx_file.load(tmp_path / "int8.onnx"), examples)
    assert 0 < np.abs(logits_NC - expected_NC).max() < 0.2 * np.ptp(expected_NC)
    has_types = "token_type_ids" in [entry.name for entry in onnx_file.session(file).get_inputs()]
    assert has_types == (encoder.config.type_vocab_size > 1)
