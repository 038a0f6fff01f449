"""The interface of aggregators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from mmengine.structures import BaseDataElement
from torch import Tensor

Sample: TypeAlias = BaseDataElement | Mapping[str, Any]


class BaseAggregator(ABC):
    """An aggregator that computes one pose from M hypotheses, clip by clip.

    It uses no ground truth unless an option says so. The order of the hypotheses does not matter. If all are equal, in
    particular for M = 1, the result is the hypothesis.

    Axes: B clips, M hypotheses. Hypotheses are poses (B, M, T, K, D), or, for some aggregators, heatmaps
        (B, M, K, H, W).

    Attributes:
        uses_ground_truth: Whether the result depends on the ground truth. Metrics name the measures of such results
            ``…_gt_root``.
    """

    @property
    def uses_ground_truth(self) -> bool:
        """Whether the result depends on the ground truth; False unless a subclass says otherwise."""
        return False

    @abstractmethod
    def aggregate(self, hypotheses: Tensor, data_samples: Sequence[Sample] | None) -> Tensor:
        """Aggregate validated hypotheses (B, M, …) to (B, …)."""

    def __call__(self, hypotheses: Tensor, data_samples: Sequence[Sample] | None = None) -> Tensor:
        """Aggregate the hypotheses of each clip to one pose.

        Args:
            hypotheses: (B, M, …), M at least 1.
            data_samples: The B clips, as :class:`posediff.structures.PoseDataSample` or its ``to_dict()``; required by
                some aggregators.

        Returns:
            (B, …) in the unit and dtype of ``hypotheses``.

        Raises:
            ValueError: There are no hypotheses, or required samples are missing.
        """
        if hypotheses.ndim < 3 or hypotheses.shape[1] < 1:
            raise ValueError(f'hypotheses must be (B, M, …) with M >= 1, got {tuple(hypotheses.shape)}')
        if data_samples is not None and len(data_samples) != hypotheses.shape[0]:
            raise ValueError(f'{len(data_samples)} data samples for hypotheses of {hypotheses.shape[0]} clips')
        return self.aggregate(hypotheses, data_samples)

    def __repr__(self) -> str:
        options = ', '.join(f'{name}={value!r}' for name, value in vars(self).items())
        return f'{type(self).__name__}({options})'
