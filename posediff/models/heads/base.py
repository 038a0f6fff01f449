"""The promise every head keeps."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor

from posediff.structures.samples import PoseDataSample
from posediff.structures.skeleton_check import require_skeleton


class BaseHead(BaseModule):
    """Border between poses and x_0. Units, label layout and mirroring are known here and nowhere else in the model.

    ``decode(encode(pose))`` is the pose.
    """

    @property
    def background_value(self) -> float | None:
        """What x_0 is almost everywhere, in head units; None where there is no such value."""
        return None

    @abstractmethod
    def encode(self, pose: Tensor) -> Tensor:
        """Turn poses (…, pose axes) in users' units into x_0 (…, state axes)."""

    @abstractmethod
    def decode(self, x_0: Tensor) -> Tensor:
        """Turn x_0 (…, state axes) into poses (…, pose axes) in users' units."""

    @abstractmethod
    def state_shape(self, condition: Tensor) -> tuple[int, ...]:
        """Shape of one x_0, without its leading axis, that belongs to a condition (B, …)."""

    def check_skeleton(self, data_samples: Sequence[PoseDataSample]) -> None:
        """Compare the skeleton that samples carry with the head's, where both have one.

        Raises:
            ValueError: They differ; the message names the sample and says how to convert.
        """
        wanted: str | None = getattr(getattr(self, 'skeleton', None), 'name', None)
        if wanted is None:
            return
        for sample in data_samples:
            found = sample.get('skeleton')
            if found is not None and found != wanted:
                require_skeleton(found, wanted, f'sample {sample.get("sample_id", sample.get("id"))}')

    @abstractmethod
    def targets(self, data_samples: Sequence[PoseDataSample]) -> tuple[Tensor, Tensor | None]:
        """Read the labels of a batch.

        Returns:
            x_0 (B, …) and weights broadcastable to it, or None where everything counts; on the device of the samples'
            labels, which is the host: the estimator copies them to that of its inputs.

        Raises:
            ValueError: A sample has no label, or one of another skeleton (:meth:`check_skeleton`).
        """

    @abstractmethod
    def forward(self, condition: Tensor) -> Tensor:
        """Predict x_0 (B, …) from the condition (B, …): the output of a model without diffusion."""

    @abstractmethod
    def attach(self, data_samples: Sequence[PoseDataSample], poses: Tensor, hypotheses: Tensor) -> None:
        """Write predictions into the samples.

        Args:
            data_samples: B samples.
            poses: (B, …) aggregated poses in users' units.
            hypotheses: (B, M, …) what they were aggregated from.
        """

    @abstractmethod
    def flip_inputs(self, inputs: Tensor) -> Tensor:
        """Mirror what the conditioner (or the backbone) takes."""

    @abstractmethod
    def flip_state(self, x_0: Tensor) -> Tensor:
        """Mirror a state (…, state axes); its own inverse."""
