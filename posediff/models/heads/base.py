"""The interface of heads."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor

from posediff.structures.samples import PoseDataSample
from posediff.structures.skeleton_check import require_skeleton


class BaseHead(BaseModule):
    """Conversion between poses and the diffused state x_0.

    Only the head depends on units, the layout of labels, and how poses are mirrored. ``decode(encode(pose))`` equals
    the pose.

    Attributes:
        observed_channels: First channels of the last axis of x_0 that labels do not contain: the start state of the
            conditioner gives them (:class:`posediff.models.start_state.StartState`).
    """

    observed_channels: int = 0

    @property
    def background_value(self) -> float | None:
        """Value of x_0 in most elements, in head units, as in the background of heatmaps; None if there is none."""
        return None

    @abstractmethod
    def encode(self, pose: Tensor) -> Tensor:
        """Convert poses (…, pose axes) in physical units to x_0 (…, state axes)."""

    @abstractmethod
    def decode(self, x_0: Tensor) -> Tensor:
        """Convert x_0 (…, state axes) to poses (…, pose axes) in physical units."""

    def root_positions(self, x_0: Tensor) -> Tensor | None:
        """Return the root positions that x_0 (…, state axes) contains, in the camera frame; None if it contains none.

        Returns:
            (…, T, 3) mm.
        """
        return None

    @abstractmethod
    def state_shape(self, condition: Tensor) -> tuple[int, ...]:
        """Return the shape of x_0 without its leading axis for a condition (B, …)."""

    def check_skeleton(self, data_samples: Sequence[PoseDataSample]) -> None:
        """Check that the skeleton of samples is that of the head, if both are known.

        Raises:
            ValueError: They differ; the message names the sample and how to convert.
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
        """Return the labels of a batch.

        Returns:
            x_0 (B, …), and weights broadcastable to it or None for equal weights. Both are on the host like the labels;
            the estimator copies them to the device of its inputs.

        Raises:
            ValueError: A sample has no label, or one of another skeleton (:meth:`check_skeleton`).
        """

    def auxiliary_losses(self, condition: Tensor, data_samples: Sequence[PoseDataSample]) -> dict[str, Tensor]:
        """Return losses that are added to the loss of the model, by names that contain ``loss``; by default none.

        Args:
            condition: (B, …) on the device of the model.
            data_samples: B samples with labels.
        """
        return {}

    @abstractmethod
    def forward(self, condition: Tensor) -> Tensor:
        """Predict x_0 (B, …) from the condition (B, …), in a model without diffusion."""

    @abstractmethod
    def attach(self, data_samples: Sequence[PoseDataSample], poses: Tensor, hypotheses: Tensor) -> None:
        """Write predictions into the samples.

        Args:
            data_samples: B samples.
            poses: (B, …) aggregated poses in physical units.
            hypotheses: (B, M, …) the hypotheses.
        """

    def calibrate(self, x_0: Tensor, inputs: Tensor) -> Tensor:
        """Return hypotheses (B, M, …) with a corrected spread about their mean; a head without calibration: x_0.

        Args:
            x_0: (B, M, …) hypotheses in head units.
            inputs: (B, …) preprocessed inputs of the model.
        """
        return x_0

    @abstractmethod
    def flip_inputs(self, inputs: Tensor) -> Tensor:
        """Mirror the inputs of the model horizontally."""

    @abstractmethod
    def flip_state(self, x_0: Tensor) -> Tensor:
        """Mirror a state (…, state axes) horizontally; applied twice, it returns the state."""
