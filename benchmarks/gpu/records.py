"""Results of a check of a GPU: the rows of gpu.json."""

import msgspec
import torch


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison of the device with float32 on the CPU: a difference and the most that is allowed."""

    compared: str
    encoder: str
    precision: str
    difference: float
    limit: float

    @property
    def passed(self) -> bool:
        """True if the difference is within its limit; not a number never is."""
        return self.difference <= self.limit


class StageRun(msgspec.Struct, frozen=True, kw_only=True):
    """One stage, run by its script on made-up sentences: seconds, and the last line of a failure."""

    stage: str
    seconds: float
    failure: str | None = None


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """Median seconds of a work; of a search, of one candidate. peak: MiB that torch allocated; null on a CPU.

    used: mean utilisation of the GPU in percent, by nvidia-smi; null without it.
    """

    work: str
    encoder: str
    precision: str
    implementation: str
    sentences: int
    seconds: float
    peak_mib: float | None
    used_percent: float | None

    @property
    def throughput(self) -> float:
        """Sentences per second."""
        return self.sentences / self.seconds


class Sharing(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of equal trainings, each in a process of its own, one after another and side by side."""

    encoder: str
    trainings: int
    one_after_another: float
    side_by_side: float
    used_percent: float | None
    failure: str | None = None


class Record(msgspec.Struct, kw_only=True):
    """A check of a card. failed: parts that ended with an error, and the error. skipped: those without time left."""

    card: str
    torch: str = str(torch.__version__)
    checks: list[Check] = []
    stages: list[StageRun] = []
    speeds: list[Speed] = []
    sharing: list[Sharing] = []
    failed: dict[str, str] = {}
    skipped: list[str] = []

    @property
    def failures(self) -> list[str]:
        """The failures in words."""
        return [
            *(
                f"{check.compared} ({check.encoder}, {check.precision})"
                for check in self.checks
                if not check.passed
            ),
            *(f"stage {stage.stage}" for stage in self.stages if stage.failure),
            *(f"trainings side by side ({row.encoder})" for row in self.sharing if row.failure),
            *self.failed,
        ]
