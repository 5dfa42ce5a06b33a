"""Redshift manifests: JSON objects with the key `<prefix>manifest` that name the files of a list."""

from __future__ import annotations

import json
from collections.abc import Sequence

from handler import reasons
from handler.activation.invocation import Invocation
from handler.errors import Failed
from handler.events.keys import MANIFEST_ENDING, list_folder
from handler.state.objects import Version
from handler.state.reports import Report

MAX_MANIFEST_BYTES = 5_000_000


def describes(manifest: Version, reports: Sequence[Report]) -> bool:
    """Return true if the key of one of these files starts with the manifest's prefix."""
    prefix = manifest.key[: -len(MANIFEST_ENDING)]
    return any(report["file"]["key"].startswith(prefix) for report in reports)


def entries(run: Invocation, manifest: Version, folders: set[str]) -> set[str]:
    """Return the keys that a manifest names.

    Raises:
        Rejected: the manifest cannot be read, or an entry is outside the bucket or the list's folder.
    """
    try:
        content = json.loads(run.store.read_text(manifest.key, manifest.version_id, MAX_MANIFEST_BYTES))
        urls = [str(entry["url"]) for entry in content["entries"]]
    except (Failed, ValueError, KeyError, TypeError, RecursionError):
        raise reasons.manifest_unreadable(manifest.key) from None
    start = f"s3://{run.settings.bucket}/"
    keys = {url.removeprefix(start) for url in urls}
    if not all(url.startswith(start) for url in urls) or any(list_folder(key) not in folders for key in keys):
        raise reasons.manifest_names_other_files(manifest.key)
    return keys
