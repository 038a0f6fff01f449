"""Denoising networks."""

from posediff.models.denoisers.base import BaseDenoiser
from posediff.models.denoisers.concat_decoder import ConcatPoseDecoder
from posediff.models.denoisers.csdi import CSDIDenoiser
from posediff.models.denoisers.fmpose3d import FMPose3DDenoiser
from posediff.models.denoisers.graformer import GraFormerDenoiser
from posediff.models.denoisers.graph import CTGCNDenoiser
from posediff.models.denoisers.keypoint_decoder import KeypointDecoder
from posediff.models.denoisers.lookup_pose_decoder import LookupPoseDecoder
from posediff.models.denoisers.mixste import MixSTEDenoiser
from posediff.models.denoisers.temporal_transformer import TemporalTransformerDenoiser

__all__ = [
    'BaseDenoiser',
    'CSDIDenoiser',
    'CTGCNDenoiser',
    'ConcatPoseDecoder',
    'FMPose3DDenoiser',
    'GraFormerDenoiser',
    'KeypointDecoder',
    'LookupPoseDecoder',
    'MixSTEDenoiser',
    'TemporalTransformerDenoiser',
]
