"""3D motion as files that other programs read: CSV, TRC, C3D, BVH (docs/export.md)."""

from posediff.export.exporters import EXPORTERS, export_motion
from posediff.export.motion import Motion
from posediff.geometry.up_axis import UpEstimate, estimate_up

__all__ = ['EXPORTERS', 'Motion', 'UpEstimate', 'estimate_up', 'export_motion']
