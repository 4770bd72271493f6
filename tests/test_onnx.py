"""ONNX files of encoders, float32 and int8: onnxruntime computes from them what the encoder computes."""

from pathlib import Path

import numpy as np
import onnx as onnx_format
import pytest

from lottery.export import eight_bits, onnx_file, ready, score
from lottery.export.checks import TOLERANCE
from lottery.model.encoder import Encoder
from lottery.model.evaluation import predict
from tests import toys
from tests.project import ROOT


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """An encoder with other numbers of heads in each layer: none in one, and no MLP in another."""
    return toys.encoder(1, classes=3).extract(toys.subnetwork(1))


@pytest.fixture(scope="module")
def file(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    onnx_file.write(encoder, path)
    return path


@pytest.fixture(scope="module")
def quantised(file: Path) -> Path:
    path = file.with_name("model_int8.onnx")
    eight_bits.write(file, path)
    return path


@pytest.mark.parametrize("count", [1, 2, 300])
def test_onnxruntime_computes_the_logits_of_the_encoder(
    encoder: Encoder, file: Path, count: int
) -> None:
    examples = toys.sentences(count, seed=count, longest=toys.CONFIG.max_position_embeddings)
    np.testing.assert_allclose(
        ready.logits(onnx_file.load(file), examples),
        predict(encoder, examples),
        atol=TOLERANCE,
        rtol=0,
    )


def test_padding_changes_nothing(file: Path) -> None:
    model, ids_BS, types_BS = onnx_file.session(file), np.array([[5, 7, 9]]), np.array([[0, 0, 1]])
    inputs = (ids_BS, np.ones_like(ids_BS), types_BS)
    padded = (np.pad(array_BS, ((0, 0), (0, 4))) for array_BS in inputs)
    logits_BC, expected_BC = (
        model.run([onnx_file.OUTPUT], dict(zip(ready.INPUTS, arrays, strict=True)))[0]
        for arrays in (padded, inputs)
    )
    np.testing.assert_allclose(logits_BC, expected_BC, atol=TOLERANCE, rtol=0)


def test_batch_and_length_are_free_and_named(file: Path) -> None:
    graph = onnx_format.load(file).graph
    axes = {
        value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in [*graph.input, *graph.output]
    }
    assert axes == {name: [*onnx_file.AXES] for name in ready.INPUTS} | {
        onnx_file.OUTPUT: ["batch", 3]
    }


def test_the_file_holds_the_weights_that_are_left_and_no_others(
    encoder: Encoder, file: Path
) -> None:
    floats = [
        int(np.prod(weight.dims))
        for weight in onnx_format.load(file).graph.initializer
        if weight.data_type == onnx_format.TensorProto.FLOAT
    ]
    left = sum(weight.numel() for weight in encoder.parameters())
    assert left <= sum(floats) <= left + 100  # and a few constants


def test_the_file_says_nothing_of_the_machine_that_wrote_it(file: Path, quantised: Path) -> None:
    for path in (file, quantised):
        content = path.read_bytes()
        assert str(ROOT).encode() not in content
        assert b"stack_trace" not in content


def test_eight_bits_are_smaller_and_close(encoder: Encoder, file: Path, quantised: Path) -> None:
    examples = toys.sentences(300)
    expected_NC, logits_NC = (
        predict(encoder, examples),
        ready.logits(onnx_file.load(quantised), examples),
    )
    assert quantised.stat().st_size < 0.7 * file.stat().st_size
    assert 0 < np.abs(logits_NC - expected_NC).max() < 0.1 * np.ptp(expected_NC)


@pytest.mark.parametrize(
    ("full", "quantised", "accepted"),
    [
        (0.8, 0.8, True),
        (0.8, 0.79, True),
        (0.8, 0.78, False),
        (0.8, 0.9, True),
        (0.8, float("nan"), False),
        (-0.1, -0.1, True),
        (-0.1, -0.2, False),
    ],
)
def test_eight_bits_may_lose_little_of_the_score(
    full: float, quantised: float, accepted: bool
) -> None:
    assert score.keeps_enough(full, quantised) is accepted
