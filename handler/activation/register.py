"""Registration: an upload gets its report and its pending pointer before anything is done with it."""

from __future__ import annotations

from urllib.parse import unquote_plus

from handler import reasons
from handler.activation.invocation import Invocation
from handler.errors import MessageError, Rejected
from handler.events.keys import is_ignored, parse_key
from handler.model import Upload
from handler.report_codes import Code
from handler.state.reports import Report, new_report, set_outcome, set_status


def register(run: Invocation, upload: Upload) -> Report | None:
    """Open an upload's report, or find the one it has.

    Returns:
        The report; None if the object is not data and is ignored.

    Raises:
        MessageError: the bucket's versioning is suspended and the report is on another upload of the same key.
    """
    upload = _as_stored(run, upload)
    if is_ignored(upload.key):
        run.logger.info("object ignored", extra={"key": upload.key})
        return None
    try:
        target, fault = parse_key(upload.key), None
    except Rejected as rejected:
        target, fault = None, rejected
    report = new_report(upload, run.settings.bucket, target, run.now())
    if fault:
        set_outcome(report, fault)
    elif run.settings.settle_seconds:
        set_status(report, "waiting", Code.SETTLING, reasons.SETTLING)
    opened, is_new = run.ledger.open(report)
    if upload.version_id == "null" and opened["file"]["etag"] != upload.etag:
        raise MessageError("The bucket's versioning is suspended, so uploads of one key cannot be told apart.")
    if is_new and (fault or run.settings.settle_seconds):
        run.announce(opened)
    return opened


def _as_stored(run: Invocation, upload: Upload) -> Upload:
    """Return the upload with its LastModified. Its key is decoded if only the decoded form exists.

    EventBridge delivers keys without encoding. If that ever changes, the decoded key still finds the object.
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
