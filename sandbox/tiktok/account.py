"""One advertiser's account at the emulated TikTok: its uploaded files, its audiences, and the six calls on them.

Every method expects fields that `sandbox.tiktok.rules.checked` has let pass, and is called under the emulator's lock.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

from sandbox.tiktok import rules
from sandbox.tiktok.audience import Action, Audience, match
from sandbox.tiktok.multipart import FilePart
from sandbox.tiktok.rows import Rows, read_rows
from sandbox.tiktok.rules import Refusal, Settings


@dataclass
class UploadedFile:
    """A file behind a `file_path`. Its rows are read once a create or update asks for them, and not before."""

    calculate_type: str
    uploaded_at: float
    chunks: list[bytes] = field(repr=False)
    _rows: Future[Rows] | None = None

    def begin_reading(self, reader: Executor) -> None:
        """Have the rows read in the background."""
        if self._rows is None:
            self._rows = reader.submit(self._read)

    def rows(self) -> Rows:
        """What the file holds; waits until it has been read."""
        assert self._rows is not None, "begin_reading comes first"  # noqa: S101
        return self._rows.result()

    def _read(self) -> Rows:
        data = b"".join(self.chunks)
        self.chunks.clear()
        return read_rows(data, rules.WIDTHS.get(self.calculate_type, 32))


@dataclass
class Account:
    """What belongs to one advertiser."""

    advertiser_id: str
    access_token: str
    reader: Executor
    new_audience_id: Callable[[], str]
    files: dict[str, UploadedFile] = field(default_factory=dict)
    audiences: dict[str, Audience] = field(default_factory=dict)

    def settle(self, now: float, settings: Settings) -> None:
        """End every change that is due."""
        for audience in self.audiences.values():
            audience.settle(now, settings)

    def upload(self, given: Mapping[str, Any], file: FilePart | None, now: float, settings: Settings) -> dict[str, Any]:
        """Take a file; nothing looks into it yet."""
        if file is None:
            raise Refusal(40002, "file: Missing data for required field.")
        if not file.name.endswith((".csv", ".txt")):
            raise Refusal(*rules.FILE_NAME_WRONG)
        if not file.size:
            raise Refusal(*rules.FILE_EMPTY)
        if file.size > settings.max_file_bytes:
            raise Refusal(*rules.FILE_TOO_LARGE)
        if given["file_signature"].lower() != file.md5:
            raise Refusal(*rules.SIGNATURE_WRONG)
        file_path = secrets.token_hex(8)
        self.files[file_path] = UploadedFile(given["calculate_type"], now, file.chunks)
        return {"file_path": file_path}

    def create(self, given: Mapping[str, Any], now: float, settings: Settings) -> dict[str, Any]:
        """Make an audience. Two of the same name are two audiences, and a repeated call makes another one."""
        if sum(each.is_creator for each in self.audiences.values()) >= settings.audience_limit:
            code, message = rules.TOO_MANY_AUDIENCES
            raise Refusal(code, message.format(limit=settings.audience_limit))
        files = self._files(given["file_paths"], given["calculate_type"], now, settings)
        days = given.get("retention_in_days")
        audience = Audience(
            self.new_audience_id(),
            self.advertiser_id,
            given["custom_audience_name"],
            given["calculate_type"],
            created_at=now,
            expires_at=now + (days or rules.EXPIRES_AFTER_DAYS) * rules.DAY,
            fixed_expiry=days is not None,
            sub_type=given.get("audience_sub_type", "NORMAL"),
        )
        self.audiences[audience.id] = audience
        self._submit(audience, "CREATE", files, now, settings)
        return {"custom_audience_id": audience.id}

    def update(self, given: Mapping[str, Any], now: float, settings: Settings) -> dict[str, Any]:
        """Change people, name or sub-type of an audience that is valid and idle. No action means REPLACE."""
        if not {"custom_audience_name", "file_paths", "audience_sub_type"} & given.keys():
            raise Refusal(40002, "file_paths: Either file_paths or custom_audience_name is required.")
        audience = self._own([given["custom_audience_id"]])[0]
        if audience.change or not audience.is_valid(now, settings):
            raise Refusal(*rules.NOT_EDITABLE)
        if audience.kind != rules.CUSTOMER_FILE and {"file_paths", "audience_sub_type"} & given.keys():
            raise Refusal(*rules.NOT_CUSTOMER_FILE)
        if "audience_sub_type" in given:
            audience.sub_type = given["audience_sub_type"]
            return {}  # TikTok's OpenAPI: changes to other fields are then ignored
        if "file_paths" in given:
            self._update_people(audience, given.get("action", "REPLACE"), given["file_paths"], now, settings)
        audience.name = given.get("custom_audience_name", audience.name)
        audience.touch(now)
        return {}

    def _update_people(
        self, audience: Audience, action: Action, file_paths: Sequence[str], now: float, settings: Settings
    ) -> None:
        files = self._files(file_paths, audience.calculate_type, now, settings)
        replaced = audience.replaced_at
        if action == "REPLACE" and settings.one_replace_a_day and replaced is not None and now - replaced < rules.DAY:
            raise Refusal(*rules.REPLACED_TODAY)
        if settings.size_rule_at == "call":
            for file in files:
                file.begin_reading(self.reader)
            members, strangers, _ = audience.after(action, files)
            if match(len(members) + strangers, settings) < rules.MATCHED_AT_LEAST:
                raise Refusal(*rules.TOO_FEW_LEFT)
        self._submit(audience, action, files, now, settings)

    def listing(self, given: Mapping[str, Any], now: float, settings: Settings) -> dict[str, Any]:
        """A page of all audiences of every kind, owned or shared, in no useful order."""
        wanted = given.get("custom_audience_ids")
        listed = [
            audience
            for audience in self.audiences.values()
            if (wanted is None or audience.id in wanted) and now >= audience.created_at + settings.list_lag_seconds
        ]
        listed.sort(key=lambda audience: hashlib.sha256(audience.id.encode()).digest())
        page, page_size = given.get("page", 1), given.get("page_size", 10)
        return {
            "list": [_listed(each, now, settings) for each in listed[(page - 1) * page_size : page * page_size]],
            "page_info": {
                "page": page,
                "page_size": page_size,
                "total_number": len(listed),
                "total_page": -(-len(listed) // page_size),
            },
        }

    def get(self, given: Mapping[str, Any], now: float, settings: Settings) -> dict[str, Any]:
        """Details and history of audiences; ids that do not exist are left out."""
        newest = given.get("history_size", 100)
        return {
            "list": [
                {
                    "audience_details": audience.details(now, settings) | {"type": audience.kind},
                    "audience_history": audience.history[: -newest - 1 : -1],
                }
                for audience in map(self.audiences.get, given["custom_audience_ids"])
                if audience is not None
            ]
        }

    def delete(self, given: Mapping[str, Any], _now: float, _settings: Settings) -> dict[str, Any]:
        """Delete all of the given audiences, or none of them."""
        for audience in self._own(given["custom_audience_ids"]):
            self.audiences.pop(audience.id, None)
        return {}

    def _submit(
        self, audience: Audience, action: Action, files: Sequence[UploadedFile], now: float, settings: Settings
    ) -> None:
        audience.submit(action, files, now, settings)
        for file in files:
            file.begin_reading(self.reader)

    def _own(self, audience_ids: Sequence[str]) -> list[Audience]:
        found = [self.audiences.get(each) for each in audience_ids]
        if None in found:
            raise Refusal(*rules.NO_SUCH_AUDIENCE)
        own = [each for each in found if each is not None and each.is_creator]
        if len(own) < len(found):
            raise Refusal(*rules.NOT_OWNER)
        return own

    def _files(
        self, file_paths: Sequence[str], calculate_type: str | None, now: float, settings: Settings
    ) -> list[UploadedFile]:
        return [*self._each_file(file_paths, calculate_type, now, settings)]

    def _each_file(
        self, file_paths: Sequence[str], calculate_type: str | None, now: float, settings: Settings
    ) -> Iterator[UploadedFile]:
        for file_path in file_paths:
            file = self.files.get(file_path)
            if file is None:
                raise Refusal(*rules.FILE_UNKNOWN)
            life = settings.file_path_seconds
            if life is not None and now >= file.uploaded_at + life:
                raise Refusal(*rules.FILE_EXPIRED)
            if file.calculate_type != calculate_type:
                raise Refusal(*rules.FILE_TYPE_DIFFERS)
            yield file


def _listed(audience: Audience, now: float, settings: Settings) -> dict[str, Any]:
    item = audience.details(now, settings) | {"audience_type": audience.kind}
    if not settings.lists_calculate_type:
        del item["calculate_type"]
    return item
