"""Transforms between a dataset's window and a model's input. Lifting transforms draw from ``results['rng']`` only."""

from posediff.datasets.transforms.body_part_occlusion import BodyPartOcclusion
from posediff.datasets.transforms.border_truncation import RandomBorderTruncation
from posediff.datasets.transforms.clip_loading import LoadClip, LoadKeyFrame
from posediff.datasets.transforms.flip import LiftingRandomFlip
from posediff.datasets.transforms.held_frames import HeldFrames
from posediff.datasets.transforms.image_quality import (
    ClipBlur,
    ClipDownscale,
    ClipJpeg,
    ClipNoise,
    ClipPhotometricDistortion,
)
from posediff.datasets.transforms.joint_mapping import ConvertKeypoints
from posediff.datasets.transforms.occlusion import KeypointOcclusion, occlusion_mask
from posediff.datasets.transforms.other_people import PasteOtherPerson
from posediff.datasets.transforms.packing import PackLiftingInputs
from posediff.datasets.transforms.person_crop import CropPerson, PackClip

__all__ = [
    'BodyPartOcclusion',
    'ClipBlur',
    'ClipDownscale',
    'ClipJpeg',
    'ClipNoise',
    'ClipPhotometricDistortion',
    'ConvertKeypoints',
    'CropPerson',
    'HeldFrames',
    'KeypointOcclusion',
    'LiftingRandomFlip',
    'LoadClip',
    'LoadKeyFrame',
    'PackClip',
    'PackLiftingInputs',
    'PasteOtherPerson',
    'RandomBorderTruncation',
    'occlusion_mask',
]
