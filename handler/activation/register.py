"""Registration: an upload gets its report and its pending pointer before it is processed."""

from __future__ import annotations

from urllib.parse import unquote_plus

from handler import reasons
from handler.activation.invocation import Invocation
from handler.errors import MessageError, Outcome, Rejected
from handler.events.keys import is_ignored, parse_key
from handler.model import Upload
from handler.state.reports import Report, new_report, set_outcome


def register(run: Invocation, upload: Upload) -> Report | None:
    """Create the report of an upload, or return the existing one.

    Returns:
        The report; None if the object is ignored because it is not data.

    Raises:
        MessageError: the bucket's versioning is suspended, and the report belongs to another upload of the same key.
        Damaged: the existing report cannot be read.
        Conflict: other functions kept writing the report.
    """
    upload = _as_stored(run, upload)
    if is_ignored(upload.key):
        run.logger.info("object ignored", extra={"key": upload.key})
        return None
    outcome: Outcome | None = reasons.settling() if run.settle else None
    try:
        target = parse_key(upload.key)
    except Rejected as fault:
        target, outcome = None, fault
    report = new_report(upload, run.settings.bucket, target, run.now())
    if outcome:
        set_outcome(report, outcome)
    opened, is_new = run.ledger.open(report)
    if upload.version_id == "null" and opened["file"]["etag"] != upload.etag:
        raise MessageError("The bucket's versioning is suspended, so uploads of the same key cannot be distinguished.")
    if is_new and outcome:
        run.announce(opened)
    return opened


def _as_stored(run: Invocation, upload: Upload) -> Upload:
    """Return the upload with the object's `LastModified`. The key is decoded if only the decoded key exists.

    EventBridge delivers keys that are not URL-encoded. The decoded key finds the object in case this ever changes.
    """
    if is_ignored(upload.key):
        return upload
    head = run.store.head(upload.key, upload.version_id)
    decoded = unquote_plus(upload.key)
    if head is None and decoded != upload.key:
        head = run.store.head(decoded, upload.version_id)
        if head:
            upload = upload._replace(key=decoded)
    return upload._replace(uploaded_at=head.modified_at) if head else upload
