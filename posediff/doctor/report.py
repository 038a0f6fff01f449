"""Format the results of ``posediff doctor``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from posediff import __version__
from posediff.doctor import rules_core, rules_video
from posediff.doctor.snapshot import Installed
from posediff.doctor.stack import CORE, VIDEO, Finding, pinned

# Modules that the module of a probe imports. If one of these fails, the failure of the probe is not reported.
UPSTREAM = {
    'torch': (),
    'torchvision': ('torch',),
    'mmengine': ('torch',),
    'mmcv.ops': ('torch', 'mmengine'),
    'xtcocotools': (),
    'mmpose': ('torchvision', 'mmcv.ops', 'xtcocotools'),
}
# Distribution to reinstall if a probe fails, where its name differs from that of the probe.
OWNER = {'mmengine': 'onedl-mmengine', 'mmcv.ops': 'onedl-mmcv'}
SHOWN = (*CORE, *VIDEO, 'diffusers', 'setuptools', 'opencv-python', 'mmengine', 'mmcv', 'mmcv-lite', 'mmdet')


def diagnose(installed: Installed) -> list[Finding]:
    """Apply all rules to a snapshot and return the findings, problems before notes."""
    findings = [finding for rule in (*rules_core.RULES, *rules_video.RULES) for finding in rule(installed)]
    findings += unexplained(installed, {finding.explains for finding in findings if finding.is_problem})
    return sorted(findings, key=lambda finding: not finding.is_problem)


def unexplained(installed: Installed, explained: set[str]) -> Iterator[Finding]:
    """Yield a finding for each failed import whose dependencies can be imported and that no rule explains.

    Args:
        installed: The snapshot.
        explained: Names of the probes whose failure is explained by other findings.
    """
    for name, probe in installed.probes.items():
        if probe.ok or name in explained or any(installed.error(upstream) for upstream in UPSTREAM[name]):
            continue
        compiled = ['--no-build-isolation'] if name in ('mmcv.ops', 'xtcocotools') else []
        alone = [] if name in ('torch', 'torchvision') else ['--no-deps']
        owner = OWNER.get(name, name)
        yield Finding(
            'broken-import',
            f'{name} is installed and does not import ({probe.error})',
            installed.pip('install', '--force-reinstall', *alone, *compiled, *pinned(owner)),
            touches_lifting=name in ('torch', 'mmengine'),
            explains=name,
        )


def exit_code(findings: list[Finding]) -> int:
    """Return 0 if there is no problem, 1 otherwise."""
    return int(any(finding.is_problem for finding in findings))


def as_json(installed: Installed, findings: list[Finding]) -> str:
    """Return the full report as JSON."""
    return json.dumps(
        {
            'posediff': __version__,
            'healthy': exit_code(findings) == 0,
            'lifting': lifting_works(findings),
            'video': video_works(findings),
            'findings': [asdict(finding) for finding in findings],
            'installed': asdict(installed),
        },
        indent=2,
    )


def lifting_works(findings: list[Finding]) -> bool:
    """Return whether no finding is a problem of lifting."""
    return not any(finding.is_problem and finding.touches_lifting for finding in findings)


def video_works(findings: list[Finding]) -> bool:
    """Return whether the video part is installed and no finding is a problem."""
    return not any(finding.is_problem or finding.rule == 'video-absent' for finding in findings)


def as_text(installed: Installed, findings: list[Finding]) -> str:
    """Return the full report as text."""
    lines = [f'posediff {__version__}, Python {installed.python} ({installed.executable})', installed.platform, '']
    lines += [f'  {name:<24}{installed.versions[name]}' for name in SHOWN if name in installed.versions]
    problems = [finding for finding in findings if finding.is_problem]
    notes = [finding for finding in findings if not finding.is_problem]
    video_absent = any(finding.rule == 'video-absent' for finding in notes)
    lines += [
        '',
        f'  {"GPU":<24}{describe_gpu(installed)}',
        f'  {"compiled mmcv ops":<24}{describe_ops(installed)}',
        f'  {"lifting":<24}{"ready" if lifting_works(findings) else "broken, see below"}',
        f'  {"video":<24}'
        + ('ready' if video_works(findings) else 'not installed' if video_absent else 'broken, see below'),
    ]
    for title, group in (('problems', problems), ('notes', notes)):
        if group:
            lines += ['', f'{title} ({len(group)})']
        for finding in group:
            lines += [f'* {finding.message}', f'    {finding.cure}']
    lines += [
        '',
        'nothing is broken' if not problems else 'run the indented lines from the top, then run the doctor again',
    ]
    return '\n'.join(lines)


def describe_gpu(installed: Installed) -> str:
    """Describe the GPU as torch sees it."""
    torch = installed.probes.get('torch')
    driver = f'driver {installed.driver}' if installed.driver else 'no driver'
    if torch is None or not torch.ok:
        return f'{driver}, torch does not import'
    build = f'torch for CUDA {torch.detail["cuda"]}' if torch.detail.get('cuda') else 'torch for the CPU'
    devices = ', '.join(torch.detail.get('devices', ())) or 'none'
    return f'{devices} ({build}, {driver})'


def describe_ops(installed: Installed) -> str:
    """Describe the state of mmcv's compiled ops."""
    ops = installed.probes.get('mmcv.ops')
    if ops is None:
        return 'mmcv is not installed'
    if not ops.ok:
        return f'no ({ops.error})'
    cuda = ops.detail.get('cuda')
    return 'yes, for the CPU' if cuda == 'not available' else f'yes, for CUDA {cuda}'
