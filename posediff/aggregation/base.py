"""The promise every aggregator keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from mmengine.structures import BaseDataElement
from torch import Tensor

Sample: TypeAlias = BaseDataElement | Mapping[str, Any]


class BaseAggregator(ABC):
    """Makes one answer of M hypotheses, clip by clip, without ground truth unless its name or option says so.

    Their order does not matter, and where all are equal, also when M is 1, they are the answer.

    Axes: B clips, M hypotheses. Hypotheses are poses (B, M, T, K, D), or heatmaps (B, M, K, H, W) where that makes
        sense.
    """

    @abstractmethod
    def aggregate(self, hypotheses: Tensor, data_samples: Sequence[Sample] | None) -> Tensor:
        """Do the work on checked input: (B, M, …) to (B, …)."""

    def __call__(self, hypotheses: Tensor, data_samples: Sequence[Sample] | None = None) -> Tensor:
        """Aggregate.

        Args:
            hypotheses: (B, M, …), M at least 1.
            data_samples: The B clips, as :class:`posediff.structures.PoseDataSample` or its ``to_dict()``; only some
                aggregators need them.

        Returns:
            (B, …) in the unit and dtype of ``hypotheses``.

        Raises:
            ValueError: There is no hypothesis, or as many samples as clips are needed and not given.
        """
        if hypotheses.ndim < 3 or hypotheses.shape[1] < 1:
            raise ValueError(f'hypotheses must be (B, M, …) with M >= 1, got {tuple(hypotheses.shape)}')
        if data_samples is not None and len(data_samples) != hypotheses.shape[0]:
            raise ValueError(f'{len(data_samples)} data samples for hypotheses of {hypotheses.shape[0]} clips')
        return self.aggregate(hypotheses, data_samples)

    def __repr__(self) -> str:
        options = ', '.join(f'{name}={value!r}' for name, value in vars(self).items())
        return f'{type(self).__name__}({options})'
