"""The command ``posediff video``."""

from posediff.cli.video.arguments import parse_args
from posediff.cli.video.command import main

__all__ = ['main', 'parse_args']
