"""One advertiser's account at the emulated TikTok: its uploaded files, its audiences, and the calls on them.

Each call takes fields that `sandbox.tiktok.fields.checked` has accepted, and runs under the emulator's lock.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sandbox.tiktok import refusals
from sandbox.tiktok.audience import CUSTOMER_FILE, Action, EmulatedAudience
from sandbox.tiktok.files import UploadedFile
from sandbox.tiktok.limits import DAY_SECONDS, EXPIRES_AFTER_SECONDS, MAX_AUDIENCES
from sandbox.tiktok.refusals import WRONG_REQUEST, Refusal
from sandbox.tiktok.settings import EmulatorSettings

_HISTORY_SIZE = 100
_T = TypeVar("_T")


@dataclass
class AdvertiserAccount:
    """The files and audiences of one advertiser.

    Attributes:
        executor: reads the rows of uploaded files.
        new_audience_id: returns an id that no other audience has.
        unmatched: identifiers that match no user.
        files: by `file_path`.
        audiences: by id, oldest first.
    """

    advertiser_id: str
    access_token: str
    executor: Executor
    new_audience_id: Callable[[], str]
    unmatched: Collection[str]
    files: dict[str, UploadedFile] = field(default_factory=dict)
    audiences: dict[str, EmulatedAudience] = field(default_factory=dict)

    def finish_changes(self, now: float, settings: EmulatorSettings) -> None:
        """End every change whose time is over."""
        for audience in self.audiences.values():
            audience.finish_change(now, settings, self.unmatched)

    def upload(self, given: Mapping[str, Any], _now: float, settings: EmulatorSettings) -> dict[str, Any]:
        """Accept a file; its rows are not looked at yet."""
        file, content = given["file"], given["file"].read()
        if not file.filename.endswith((".csv", ".txt")):
            raise Refusal(*refusals.FILE_NAME_WRONG)
        if not content:
            raise Refusal(*refusals.FILE_EMPTY)
        if len(content) > settings.max_file_bytes:
            raise Refusal(*refusals.FILE_TOO_LARGE)
        if given["file_signature"].lower() != hashlib.md5(content, usedforsecurity=False).hexdigest():
            raise Refusal(*refusals.SIGNATURE_WRONG)
        file_path = secrets.token_hex(8)
        self.files[file_path] = UploadedFile(given["calculate_type"], content)
        return {"file_path": file_path}

    def create(self, given: Mapping[str, Any], now: float, settings: EmulatorSettings) -> dict[str, Any]:
        """Create an audience. Names are not unique, and a repeated call creates another audience."""
        if sum(each.is_creator for each in self.audiences.values()) >= MAX_AUDIENCES:
            raise Refusal(*refusals.TOO_MANY_AUDIENCES)
        files = self._files(given["file_paths"], given["calculate_type"])
        audience = EmulatedAudience(
            self.new_audience_id(),
            self.advertiser_id,
            given["custom_audience_name"],
            given["calculate_type"],
            created_at=now,
            expires_at=now + EXPIRES_AFTER_SECONDS,
        )
        self.audiences[audience.id] = audience
        self._start_change(audience, "CREATE", files, now, settings)
        return {"custom_audience_id": audience.id}

    def update(self, given: Mapping[str, Any], now: float, settings: EmulatorSettings) -> dict[str, Any]:
        """Change the people or the name of an audience that is valid and idle. Without an action it is a REPLACE."""
        if not {"custom_audience_name", "file_paths"} & given.keys():
            raise Refusal(WRONG_REQUEST, "file_paths: Either file_paths or custom_audience_name is required.")
        audience = self._own([given["custom_audience_id"]])[0]
        action: Action = given.get("action", "REPLACE")
        if "file_paths" in given and action == "REPLACE" and audience.change and audience.change.action == "REPLACE":
            raise Refusal(*refusals.REPLACE_UNFINISHED)
        if audience.change or not audience.is_valid(now):
            raise Refusal(*refusals.NOT_EDITABLE)
        if "file_paths" in given:
            self._update_people(audience, action, given["file_paths"], now, settings)
        audience.name = given.get("custom_audience_name", audience.name)
        return {}

    def _update_people(
        self,
        audience: EmulatedAudience,
        action: Action,
        file_paths: Sequence[str],
        now: float,
        settings: EmulatorSettings,
    ) -> None:
        if audience.kind != CUSTOMER_FILE:
            raise Refusal(*refusals.NOT_CUSTOMER_FILE)
        files = self._files(file_paths, audience.calculate_type)
        # A replace that fails at its end counts, too; whether it does at TikTok is not known.
        if action == "REPLACE" and now - audience.replaced_at < DAY_SECONDS:
            raise Refusal(*refusals.REPLACED_TODAY)
        self._start_change(audience, action, files, now, settings)

    def list(self, given: Mapping[str, Any], now: float, settings: EmulatorSettings) -> dict[str, Any]:
        """Return a page of all audiences of every kind, owned or shared, in no useful order."""
        oldest_omitted = now - settings.list_lag_seconds
        listed = [each for each in self.audiences.values() if each.created_at <= oldest_omitted]
        listed.sort(key=lambda audience: hashlib.sha256(audience.id.encode()).digest())
        page, page_info = _page(listed, given)
        return {"list": [_item(each, now, settings) for each in page], "page_info": page_info}

    def get(self, given: Mapping[str, Any], now: float, _settings: EmulatorSettings) -> dict[str, Any]:
        """Return details and history of audiences; ids that do not exist are left out."""
        return {
            "list": [
                {
                    "audience_details": audience.details(now) | {"type": audience.kind},
                    "audience_history": audience.history[: -_HISTORY_SIZE - 1 : -1],
                }
                for audience in map(self.audiences.get, given["custom_audience_ids"])
                if audience is not None
            ]
        }

    def delete(self, given: Mapping[str, Any], _now: float, _settings: EmulatorSettings) -> dict[str, Any]:
        """Delete all of the given audiences, or none of them."""
        for audience in self._own(given["custom_audience_ids"]):
            self.audiences.pop(audience.id, None)
        return {}

    def apply_log(self, given: Mapping[str, Any], _now: float, _settings: EmulatorSettings) -> dict[str, Any]:
        """Return a page of the ad groups that own audiences were applied to, an entry for each time, newest first."""
        applied = [
            {"audience_id": audience.id, **entry}
            for audience in self._own(given["custom_audience_ids"])
            for entry in audience.applied
        ]
        applied.sort(key=lambda entry: entry["action_timestamp"], reverse=True)
        page, page_info = _page(applied, given)
        return {"advertiser_id": self.advertiser_id, "list": page, "page_info": page_info}

    def _start_change(
        self,
        audience: EmulatedAudience,
        action: Action,
        files: Sequence[UploadedFile],
        now: float,
        settings: EmulatorSettings,
    ) -> None:
        audience.start_change(action, files, now, settings)
        self._read(files, settings)

    def _read(self, files: Sequence[UploadedFile], settings: EmulatorSettings) -> None:
        for file in files:
            file.start_reading(self.executor, accepts_empty_fields=settings.accepts_empty_fields)

    def _own(self, audience_ids: Sequence[str]) -> Sequence[EmulatedAudience]:
        found = [self.audiences.get(each) for each in audience_ids]
        if None in found:
            raise Refusal(*refusals.NO_SUCH_AUDIENCE)
        own = [each for each in found if each is not None and each.is_creator]
        if len(own) < len(found):
            raise Refusal(*refusals.NOT_OWNER)
        return own

    def _files(self, file_paths: Sequence[str], calculate_type: str | None) -> Sequence[UploadedFile]:
        files = []
        for file_path in file_paths:
            file = self.files.get(file_path)
            if file is None:
                raise Refusal(*refusals.FILE_UNKNOWN)
            if file.calculate_type != calculate_type:
                raise Refusal(*refusals.FILE_TYPE_DIFFERS)
            files.append(file)
        return files


def _page(items: Sequence[_T], given: Mapping[str, Any]) -> tuple[Sequence[_T], dict[str, int]]:
    """Return the items of the wanted page, and the field `page_info`."""
    page, page_size = given.get("page", 1), given.get("page_size", 10)
    info = {
        "page": page,
        "page_size": page_size,
        "total_number": len(items),
        "total_page": -(-len(items) // page_size),
    }
    return items[(page - 1) * page_size : page * page_size], info


def _item(audience: EmulatedAudience, now: float, settings: EmulatorSettings) -> dict[str, Any]:
    item = audience.details(now) | {"audience_type": audience.kind}
    if not settings.lists_calculate_type:
        del item["calculate_type"]
    return item
