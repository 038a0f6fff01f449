"""Result files and report of ``posediff video``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from posediff.cli.export_arguments import export_options
from posediff.engine.command_line import one_line_errors
from posediff.export.track_export import export_tracks
from posediff.pipeline.pose_writer import PoseWriter
from posediff.pipeline.video_run import VideoRun
from posediff.video import VideoSource
from posediff.visualization.saved_results import write_overlay
from posediff.visualization.scene import write_scene
from posediff.visualization.viewer import write_viewer


def add_facts(writer: PoseWriter, video: VideoSource, run: VideoRun) -> None:
    """Add what is known only after the run to the header of the results: side swaps, cuts and root positions."""
    writer.header.facts['sides_put_right'] = run.num_side_swaps
    if video.cuts:
        writer.header.facts['cuts'] = {
            'frame_index': [round(cut.time_s * video.fps) for cut in video.cuts],
            'time_stamps_s': [list(cut.stamps_s) for cut in video.cuts],
        }
    writer.header.facts['places_from_neighbours'] = writer.num_unplaced


def print_report(writer: PoseWriter, video: VideoSource, run: VideoRun, seconds: float, notes: Sequence[str]) -> None:
    """Print speed and corrections to stdout, warnings to stderr."""
    print(f'{video.name}: {writer.num_frames} frames in {seconds:.1f} s ({writer.num_frames / seconds:.1f} frames/s)')
    if run.num_side_swaps:
        print(f'left and right were corrected in {run.num_side_swaps} poses (--keep-sides switches this off)')
    if writer.num_unplaced:
        print(f'{writer.num_unplaced} root positions were taken from neighbouring frames (root_observed marks them)')
    for problem in (video.problem, *notes):
        if problem is not None:
            print(f'warning: {problem}', file=sys.stderr)


def write_pictures(
    args: argparse.Namespace, writer: PoseWriter, video: VideoSource, score_threshold: float
) -> list[Path]:
    """Write viewer, overlay, scene and exports as the arguments request, and return the paths of the files.

    Args:
        args: Arguments of the command.
        writer: Writer of the results.
        video: The processed video.
        score_threshold: Keypoints with a lower score are drawn faintly.
    """
    files = [write_viewer(args.out)]
    if writer.num_rows:
        if not args.no_overlay and not video.is_live:
            files.append(write_overlay(args.out, video, score_threshold))
        if not args.no_scene and not video.is_live:
            files.append(write_scene(args.out, video, score_threshold))
        if args.export:
            with one_line_errors():
                options = export_options('--export-options', args.export_options, args.export)
                files += export_tracks(args.out, args.export, options)
    return files
