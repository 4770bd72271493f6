"""The loss of a task: cross-entropy for classes, squared error for a regression."""

from torch import Tensor
from torch.nn import functional as F

from lottery.tasks import Task


def total_loss(task: Task, logits_BC: Tensor, labels_B: Tensor) -> Tensor:
    """The sum of the examples' losses: cross-entropy, or squared error for a regression."""
    if task.regression:
        return F.mse_loss(logits_BC[:, 0], labels_B, reduction="sum")
    return F.cross_entropy(logits_BC, labels_B.long(), reduction="sum")
