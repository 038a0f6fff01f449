"""Download models from the Hugging Face Hub."""

from __future__ import annotations

import re
from pathlib import Path

from posediff.models.pretrained_folder import CARD_NAME, CONFIG_NAME, WEIGHTS_NAME

HUB_ID = re.compile(r'(?P<repo>\w[\w.-]*/\w[\w.-]*)(@(?P<revision>[\w./-]+))?', re.ASCII)


def download(hub_id: str, cache_dir: str | Path | None = None, local_files_only: bool = False) -> Path:
    """Download a model, or find it in the cache.

    Args:
        hub_id: ``owner/name``, ``owner/name@revision``; a revision is a branch, a tag or a commit.
        cache_dir: Cache folder; None: huggingface_hub's.
        local_files_only: Do not use the network.

    Returns:
        The folder with the model's files.

    Raises:
        ModuleNotFoundError: huggingface_hub is not installed.
        FileNotFoundError: The Hub or the cache has no such model or revision, or the Hub cannot be reached.
        ValueError: The id is malformed.
    """
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'{hub_id} is fetched by huggingface_hub, which is not installed: pip install "posediff[hub]"'
        ) from error
    parts = HUB_ID.fullmatch(hub_id)
    if parts is None:
        raise ValueError(f'{hub_id!r} is not owner/name or owner/name@revision')
    try:
        folder = snapshot_download(
            parts['repo'],
            revision=parts['revision'],
            cache_dir=cache_dir,
            local_files_only=local_files_only,
            allow_patterns=[CONFIG_NAME, WEIGHTS_NAME, CARD_NAME],
        )
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError) as error:
        reason = (str(error).split('\n')[0]).strip() or type(error).__name__
        raise FileNotFoundError(
            f'model {hub_id} was not found on the Hugging Face Hub or in its cache: {reason}'
        ) from error
    return Path(folder)
