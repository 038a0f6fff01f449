"""The commands of ``posediff``: name, module and one line of help each. A module is imported when its command runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        name: Words after ``posediff``, for example ``'convert cmu'``.
        summary: One line of help.
        module: Module with ``main(argv, prog)``, relative to :mod:`posediff.cli`.
    """

    name: str
    summary: str
    module: str


@dataclass(frozen=True)
class Group:
    """Commands that share their first word."""

    name: str
    summary: str
    commands: tuple[Command, ...]


def _group(name: str, summary: str, **commands: str) -> Group:
    members = (
        Command(f'{name} {module.replace("_", "-")}', text, f'{name}.{module}') for module, text in commands.items()
    )
    return Group(name, summary, tuple(members))


COMMANDS: tuple[Command | Group, ...] = (
    Command('demo', 'run the video pipeline on a real clip and draw a picture of the result', 'demo'),
    Command('video', 'find the people in a video, in 2D and 3D', 'video'),
    Command('lift', 'lift a file of 2D keypoints of one person to 3D', 'lift'),
    Command('export', 'write a result folder as BVH, TRC, C3D or CSV', 'export'),
    Command('train', 'train a model', 'train'),
    Command('test', 'evaluate a checkpoint', 'test'),
    Command('dist-train', 'train with several processes', 'dist_train'),
    Command('dist-test', 'evaluate with several processes', 'dist_test'),
    Command('publish', 'reduce a training checkpoint to what inference needs', 'publish'),
    Command('configs', 'list, show or copy the configs that come with posediff', 'configs'),
    _group(
        'convert',
        "convert data sets and other projects' checkpoints",
        diffhpe='official checkpoints of DiffHPE, MixSTE or D3DP',
        cmu='motion capture of CMU (.asf/.amc/.bvh) for CMUMocapDataset',
        h36m="VideoPose3D's archives of Human3.6M for Human36mDataset",
        posetrack17='annotations of PoseTrack2017 to one file in the style of COCO',
        merge_posetrack='annotations of PoseTrack2018 or PoseTrack21 to one file a split',
    ),
    Command('make-synthetic-video', 'render a video set with labels as of PoseTrack18', 'make_synthetic_video'),
    Command('check-dataset', 'read the data of a config and report what is wrong with it', 'check_dataset'),
    Command('eval-posetrack', 'measure average precision and tracking of PoseTrack result files', 'eval_posetrack'),
    _group(
        'benchmark',
        'measure time and quality of models and of the video pipeline',
        model='time of sampling with a config',
        video='time and memory of the video pipeline, by stage',
        hypotheses='quality and time by number of denoiser steps and hypotheses',
        occlusion='quality by occlusion pattern of training and test',
        views='3D poses of one camera against the other cameras of a calibrated recording',
        joints='lifters on joints that they were not trained on',
        posetrack='differences between PoseTrack results, with confidence intervals',
        baselines='mean pose and ridge regression on the data of a config',
        activations='pictures of the activations in a heatmap denoiser',
    ),
    Command('fetch', "download the demo's clip or MediaPipe's weights ahead of time", 'fetch'),
    Command('list', 'show the registered components and their packages', 'list_components'),
    Command('doctor', 'check the installed packages; each problem comes with its cure', 'doctor'),
)
