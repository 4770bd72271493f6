"""Physically small encoders in transformers: same logits, same files, trainable."""

import shutil
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from transformers import AutoConfig, AutoModelForSequenceClassification, pipeline

from lottery.checkpoint.supported import FAMILIES
from lottery.export.registration import PrunedForSequenceClassification
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.model.evaluation import predict
from lottery.subnetwork import Subnetwork
from tests import toy_families, toy_hub, toys
from tests.test_encoder import padded


def small(seed: int = 0, classes: int = 3) -> Encoder:
    return toys.encoder(seed, classes).extract(toys.subnetwork(seed))


def read(folder: Path) -> PrunedForSequenceClassification:
    model, about = AutoModelForSequenceClassification.from_pretrained(
        folder, output_loading_info=True
    )
    assert not any(about.values())
    return cast(PrunedForSequenceClassification, model)


@pytest.mark.parametrize("seed", range(4))
def test_transformers_computes_the_same_logits(tmp_path: Path, seed: int) -> None:
    encoder, examples = small(seed), toys.sentences(9, seed)
    checkpoint.save(encoder, tmp_path)
    with torch.no_grad():
        logits = read(tmp_path)(**padded(examples)).logits
        torch.testing.assert_close(logits, encoder(toys.tokens(examples)))


@pytest.mark.parametrize("model_type", FAMILIES)
def test_every_family_is_read_and_saved_by_transformers(tmp_path: Path, model_type: str) -> None:
    whole, _ = toy_families.encoder(model_type, tmp_path / "whole")
    encoder = whole.extract(toys.subnetwork(1, whole.config))
    checkpoint.save(encoder, tmp_path / "ours")
    model, examples = read(tmp_path / "ours"), toy_families.sentences(encoder)
    expected = predict(encoder, examples)
    np.testing.assert_allclose(toy_families.logits(model, examples), expected, atol=1e-5, rtol=0)
    model.save_pretrained(tmp_path / "theirs")
    again = checkpoint.load(tmp_path / "theirs", encoder.classes)
    assert again.config == encoder.config
    np.testing.assert_allclose(predict(again, examples), expected, atol=1e-5, rtol=0)


def test_mask_and_types_may_be_left_out(tmp_path: Path) -> None:
    checkpoint.save(small(), tmp_path)
    model, ids = read(tmp_path), torch.arange(1, 13).view(3, 4)
    inputs = {"attention_mask": torch.ones_like(ids), "token_type_ids": torch.zeros_like(ids)}
    with torch.no_grad():
        assert torch.equal(model(ids).logits, model(ids, **inputs).logits)


def test_a_folder_saved_by_transformers_is_read_here(tmp_path: Path) -> None:
    encoder = small()
    checkpoint.save(encoder, tmp_path / "ours")
    read(tmp_path / "ours").save_pretrained(tmp_path / "theirs")
    reloaded = checkpoint.load(tmp_path / "theirs", classes=3)
    assert reloaded.config == encoder.config
    tokens = toys.tokens(toys.sentences(5))
    assert torch.equal(reloaded(tokens), encoder(tokens))


def test_configuration_says_what_is_left(tmp_path: Path) -> None:
    encoder = small()
    checkpoint.save(encoder, tmp_path)
    config = AutoConfig.from_pretrained(tmp_path)
    assert tuple(map(tuple, config.kept_heads)) == encoder.config.kept_heads
    assert tuple(config.kept_mlps) == encoder.config.kept_mlps
    assert config.num_labels == 3


@pytest.mark.parametrize("classes", [1, 3])
def test_labels_give_a_loss_that_trains_every_weight(tmp_path: Path, classes: int) -> None:
    checkpoint.save(small(classes=classes), tmp_path)
    model, examples = read(tmp_path), toys.sentences(9, classes=classes)
    labels = torch.tensor(examples.labels_N)
    output = model(**padded(examples), labels=labels if classes == 1 else labels.long())
    if classes == 1:
        expected = F.mse_loss(output.logits.squeeze(1), labels)
    else:
        expected = F.cross_entropy(output.logits, labels.long())
    torch.testing.assert_close(output.loss, expected)
    output.loss.backward()
    assert all(weight.grad is not None for weight in model.parameters() if weight.numel())


@pytest.mark.parametrize("mask", [[[0, 1, 1]], [[1, 0, 1]], [[0, 0, 0]]])
def test_other_padding_is_refused(tmp_path: Path, mask: list[list[int]]) -> None:
    checkpoint.save(small(), tmp_path)
    with pytest.raises(ValueError, match="padding on its right"):
        read(tmp_path)(torch.tensor([[1, 2, 3]]), attention_mask=torch.tensor(mask))


def test_pipelines_classify_texts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    toy_hub.bert(tmp_path / "bert")
    encoder = checkpoint.load(tmp_path / "bert", classes=2, seed=1)
    kept = Subnetwork(
        {"heads": np.array([[True, False], [False, False]]), "mlps": np.eye(2, dtype=bool)[0]}
    )
    checkpoint.save(encoder.extract(kept), tmp_path / "small")
    for file in (tmp_path / "bert").glob("tokenizer*"):
        shutil.copy(file, tmp_path / "small")
    classify: Any = pipeline("text-classification", str(tmp_path / "small"))
    [answer, other] = classify(["the film is great", "the plot"], batch_size=2)
    assert {answer["label"], other["label"]} <= {"LABEL_0", "LABEL_1"}
    assert not caplog.records
