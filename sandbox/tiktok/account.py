"""One advertiser's account at the emulated TikTok: its uploaded files, its audiences, and the calls that use them.

`sandbox.tiktok.fields.checked` has checked the fields of each call. Calls run under the emulator's lock and can raise
Refusal.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sandbox.tiktok import refusals
from sandbox.tiktok.audience import CUSTOMER_FILE, Action, EmulatedAudience
from sandbox.tiktok.files import UploadedFile
from sandbox.tiktok.limits import DAY_SECONDS, MAX_AUDIENCES
from sandbox.tiktok.platform import Platform
from sandbox.tiktok.refusals import WRONG_REQUEST, Refusal

_T = TypeVar("_T")


@dataclass
class AdvertiserAccount:
    """One advertiser's token, its files by `file_path`, and its audiences by id, oldest first."""

    advertiser_id: str
    access_token: str
    platform: Platform
    files: dict[str, UploadedFile] = field(default_factory=dict)
    audiences: dict[str, EmulatedAudience] = field(default_factory=dict)

    def upload(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Accept a file. Its rows are checked later."""
        file, content = given["file"], given["file"].read()
        if not file.filename.endswith((".csv", ".txt")):
            raise Refusal(*refusals.FILE_NAME_WRONG)
        if not content:
            raise Refusal(*refusals.FILE_EMPTY)
        if len(content) > self.platform.settings.max_file_bytes:
            raise Refusal(*refusals.FILE_TOO_LARGE)
        if given["file_signature"].lower() != hashlib.md5(content, usedforsecurity=False).hexdigest():
            raise Refusal(*refusals.SIGNATURE_WRONG)
        file_path = secrets.token_hex(8)
        settings = self.platform.settings
        self.files[file_path] = UploadedFile(given["calculate_type"], content, settings.accepts_empty_fields)
        return {"file_path": file_path}

    def create(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Create an audience. Names are not unique, so a repeated call creates another audience."""
        if sum(each.is_creator for each in self.audiences.values()) >= MAX_AUDIENCES:
            raise Refusal(*refusals.TOO_MANY_AUDIENCES)
        files = self._files(given["file_paths"], given["calculate_type"])
        name, calculate_type = given["custom_audience_name"], given["calculate_type"]
        audience = EmulatedAudience(self.platform, name, calculate_type, self.platform.now)
        self.audiences[audience.id] = audience
        audience.start_change("CREATE", files)
        return {"custom_audience_id": audience.id}

    def update(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Change the people, the name or both of an audience that is valid and idle. The default action is REPLACE."""
        if not {"custom_audience_name", "file_paths"} & given.keys():
            raise Refusal(WRONG_REQUEST, "file_paths: Either file_paths or custom_audience_name is required.")
        audience = self._own([given["custom_audience_id"]])[0]
        action: Action = given.get("action", "REPLACE")
        if "file_paths" in given and action == "REPLACE" and audience.change and audience.change.action == "REPLACE":
            raise Refusal(*refusals.REPLACE_UNFINISHED)
        if audience.change or not audience.is_valid():
            raise Refusal(*refusals.NOT_EDITABLE)
        if "file_paths" in given:
            if audience.kind != CUSTOMER_FILE:
                raise Refusal(*refusals.NOT_CUSTOMER_FILE)
            files = self._files(given["file_paths"], audience.calculate_type)
            # A replace that failed counts, too. It is not known whether it does at TikTok.
            if action == "REPLACE" and self.platform.now - audience.replaced_at < DAY_SECONDS:
                raise Refusal(*refusals.REPLACED_TODAY)
            audience.start_change(action, files)
        audience.name = given.get("custom_audience_name", audience.name)
        return {}

    def list(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return a page of the audiences of every kind, owned or shared, in an arbitrary order."""
        newest_listed = self.platform.now - self.platform.settings.list_lag_seconds
        listed = [each for each in self.audiences.values() if each.created_at <= newest_listed]
        listed.sort(key=lambda audience: hashlib.sha256(audience.id.encode()).digest())
        page, page_info = _page(listed, given)
        items = [each.details() | {"audience_type": each.kind} for each in page]
        if not self.platform.settings.lists_calculate_type:
            for item in items:
                del item["calculate_type"]
        return {"list": items, "page_info": page_info}

    def get(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the details and the history of audiences. Unknown ids are left out."""
        found = [self.audiences[each] for each in given["custom_audience_ids"] if each in self.audiences]
        return {
            "list": [
                {"audience_details": each.details() | {"type": each.kind}, "audience_history": each.history[::-1]}
                for each in found
            ]
        }

    def delete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Delete all of the given audiences, or none of them."""
        for audience in self._own(given["custom_audience_ids"]):
            self.audiences.pop(audience.id, None)
        return {}

    def apply_log(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return a page of the ad groups to which the advertiser's given audiences were applied, newest first."""
        applied = [
            {"audience_id": audience.id, **entry}
            for audience in self._own(given["custom_audience_ids"])
            for entry in audience.applied
        ]
        applied.sort(key=lambda entry: entry["action_timestamp"], reverse=True)
        page, page_info = _page(applied, given)
        return {"advertiser_id": self.advertiser_id, "list": page, "page_info": page_info}

    def _own(self, audience_ids: Sequence[str]) -> Sequence[EmulatedAudience]:
        if not self.audiences.keys() >= set(audience_ids):
            raise Refusal(*refusals.UNKNOWN_AUDIENCE)
        found = [self.audiences[each] for each in audience_ids]
        if not all(each.is_creator for each in found):
            raise Refusal(*refusals.NOT_OWNER)
        return found

    def _files(self, file_paths: Sequence[str], calculate_type: str | None) -> Sequence[UploadedFile]:
        if not self.files.keys() >= set(file_paths):
            raise Refusal(*refusals.FILE_UNKNOWN)
        files = [self.files[each] for each in file_paths]
        if any(file.calculate_type != calculate_type for file in files):
            raise Refusal(*refusals.FILE_TYPE_DIFFERS)
        return files


def _page(items: Sequence[_T], given: Mapping[str, Any]) -> tuple[Sequence[_T], dict[str, int]]:
    """Return the items of the requested page, and the field `page_info`."""
    page, page_size, total = given.get("page", 1), given.get("page_size", 10), len(items)
    info = {"page": page, "page_size": page_size, "total_number": total, "total_page": -(-total // page_size)}
    return items[(page - 1) * page_size : page * page_size], info
