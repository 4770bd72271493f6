"""Every parameter section of params.yaml, without importing torch."""

from collections.abc import Sequence

from lottery.analysis.looks import EvidenceParameters
from lottery.attention.patterns import AttentionParameters
from lottery.data.examples import DataParameters
from lottery.data.parameters import EncoderParameters
from lottery.grid import GridParameters
from lottery.model.parameters import FinetuneParameters
from lottery.params import Parameters
from lottery.runtime.parameters import ComputeParameters
from lottery.tickets.connectivity import ConnectivityParameters
from lottery.tickets.parameters import (
    ControlsParameters,
    ImportanceParameters,
    MagnitudeParameters,
    PruneParameters,
    RetrainParameters,
    RewindParameters,
)
from lottery.tickets.transfer import TransferParameters

SECTIONS: Sequence[type[Parameters]] = (
    GridParameters,
    EncoderParameters,
    DataParameters,
    FinetuneParameters,
    PruneParameters,
    ImportanceParameters,
    MagnitudeParameters,
    ControlsParameters,
    RetrainParameters,
    RewindParameters,
    TransferParameters,
    ConnectivityParameters,
    AttentionParameters,
    EvidenceParameters,
    ComputeParameters,
)
