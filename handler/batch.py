"""One batch of messages: register the uploads, advance their audiences, and run the sweep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from handler.activation.invocation import Invocation
from handler.activation.register import register
from handler.errors import MessageError
from handler.events.keys import parse_key
from handler.events.messages import parse_message
from handler.events.queue import QueueRecord
from handler.metrics import Metric
from handler.model import AudienceKey
from handler.state.pending_pointers import upload_digest
from handler.state.reports import identity, is_final
from handler.sweep import MIN_SECONDS_TO_START, sweep, try_to_advance


@dataclass
class Outcomes:
    """The work of a batch, and the messages to deliver again.

    Attributes:
        audiences: for each audience to advance, the digest of each message's upload, by message id; None for a continue
            message.
        sweeps: ids of sweep messages.
        failed: ids of messages that failed; they are delivered again with back-off.
        returned: ids of messages that were not started; they are delivered again immediately.
    """

    audiences: dict[AudienceKey, dict[str, str | None]] = field(default_factory=dict)
    sweeps: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)


def handle_batch(run: Invocation, records: Iterable[QueueRecord]) -> Outcomes:
    """Handle the messages of one batch.

    A message is done even if its upload has to wait, because a sweep resumes the upload.

    Returns:
        The work of the batch, with the messages to deliver again.
    """
    outcomes = Outcomes()
    for record in records:
        _register(run, record, outcomes)
    _advance(run, outcomes)
    if outcomes.sweeps and sweep(run):
        outcomes.failed.append(outcomes.sweeps[0])  # one failed message is enough to raise the alarm
    run.metrics.add(Metric.MESSAGES_FAILED, len(outcomes.failed))
    return outcomes


def _register(run: Invocation, record: QueueRecord, outcomes: Outcomes) -> None:
    """Register the upload of one message, and add the work that the message requires to `outcomes`.

    All uploads of a batch are registered before any audience is advanced. A failure affects only its own message.
    """
    try:
        message = parse_message(record.body, run.settings.bucket)
        if message is None:
            outcomes.sweeps.append(record.message_id)
        elif isinstance(message, AudienceKey):
            outcomes.audiences.setdefault(message, {})[record.message_id] = None
        elif (report := register(run, message)) and report["audience"] and not is_final(report) and not run.settle:
            audience = parse_key(report["file"]["key"]).audience
            outcomes.audiences.setdefault(audience, {})[record.message_id] = upload_digest(*identity(report))
    except MessageError as error:
        run.logger.warning("message refused", extra={"message_id": record.message_id, "reason": str(error)})
        outcomes.failed.append(record.message_id)
    except Exception:
        run.logger.exception("message failed", extra={"message_id": record.message_id})
        outcomes.failed.append(record.message_id)


def _advance(run: Invocation, outcomes: Outcomes) -> None:
    """Advance the audiences of a batch. With settling, these are only the audiences of continue messages."""
    for index, (audience, messages) in enumerate(outcomes.audiences.items()):
        if index and run.deadline.remaining() < MIN_SECONDS_TO_START:
            outcomes.returned.extend(messages)
        elif try_to_advance(run, audience) is not None:
            outcomes.failed.extend(messages)
        else:
            outcomes.failed.extend(message_id for message_id, digest in messages.items() if digest in run.broken)
