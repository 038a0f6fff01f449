"""Export of 3D motion to CSV, TRC, C3D and BVH files (docs/export.md)."""

from posediff.export.base import BaseExporter
from posediff.export.bvh import BVHExporter
from posediff.export.c3d import C3DExporter
from posediff.export.csv_table import CSVExporter
from posediff.export.exporters import export_motion
from posediff.export.motion import Motion
from posediff.export.motion_frames import MotionFrames
from posediff.export.trc import TRCExporter
from posediff.geometry.up_axis import UpEstimate, estimate_up

__all__ = [
    'BVHExporter',
    'BaseExporter',
    'C3DExporter',
    'CSVExporter',
    'Motion',
    'MotionFrames',
    'TRCExporter',
    'UpEstimate',
    'estimate_up',
    'export_motion',
]
