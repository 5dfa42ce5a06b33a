"""Settings of the emulated TikTok, for behavior of the real one that varies or is not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class EmulatorSettings:
    """Settings that a test or the demo can change. Times are seconds of the emulator's clock.

    Attributes:
        processing_seconds: the time from an accepted create or update to its end.
        match_rate: the share of people, 0 to 1, that TikTok matches to users.
        accepts_empty_fields: whether a row of a MULTIPLE_TYPES file may have empty fields; TikTok does not document it.
        stays_valid: whether `is_valid` stays true while an update is processed.
        history_at: the event after which the history shows a change: its "end", its acceptance ("submit"), or "never".
        list_lag_seconds: the time during which `list` omits a new audience; `get` never does.
        lists_calculate_type: whether `list` shows the identifier type; `get` always does.
        max_file_bytes: the maximum size of an uploaded file.
    """

    processing_seconds: float = 2.0
    match_rate: float = 1.0
    accepts_empty_fields: bool = True
    stays_valid: bool = False
    history_at: Literal["end", "submit", "never"] = "end"
    list_lag_seconds: float = 0.0
    lists_calculate_type: bool = True
    max_file_bytes: int = 250_000_000
