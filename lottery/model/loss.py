"""Loss of a task: cross-entropy for classification, squared error for regression."""

from torch import Tensor
from torch.nn import functional as F

from lottery.tasks import Task


def total_loss(task: Task, logits_BC: Tensor, labels_B: Tensor) -> Tensor:
    """Sum of the losses of a batch."""
    if task.regression:
        return F.mse_loss(logits_BC[:, 0], labels_B, reduction="sum")
    return F.cross_entropy(logits_BC, labels_B.long(), reduction="sum")
