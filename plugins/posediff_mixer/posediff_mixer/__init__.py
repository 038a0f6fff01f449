"""A worked example of a package outside posediff; importing it registers its components."""

from posediff_mixer.denoiser import JointTimeMixer
from posediff_mixer.exporter import WorldCSVExporter

__all__ = ['JointTimeMixer', 'WorldCSVExporter']
