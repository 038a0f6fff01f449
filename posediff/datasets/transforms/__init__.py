"""Transforms between a dataset's window and a model's input. Lifting transforms draw from ``results['rng']`` only."""

from posediff.datasets.transforms.clip_loading import LoadClip, LoadKeyFrame
from posediff.datasets.transforms.flip import LiftingRandomFlip
from posediff.datasets.transforms.occlusion import KeypointOcclusion, occlusion_mask
from posediff.datasets.transforms.packing import PackLiftingInputs

__all__ = ['KeypointOcclusion', 'LiftingRandomFlip', 'LoadClip', 'LoadKeyFrame', 'PackLiftingInputs', 'occlusion_mask']
