"""Example of a plugin of posediff; importing the package registers its components."""

from posediff_mixer.denoiser import JointTimeMixer
from posediff_mixer.exporter import WorldCSVExporter

__all__ = ['JointTimeMixer', 'WorldCSVExporter']
