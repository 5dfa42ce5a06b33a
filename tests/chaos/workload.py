"""A seeded plan of the uploads, overwrites, copies and deletions of one advertiser."""

from __future__ import annotations

import heapq
import json
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from random import Random

from tests.chaos.uploads import TYPES, GeneratedFile, PlannedUpload, dirty, empty, good, hostile, mostly_faulty

NAMES = ("vip", "Käufer 2026", "A+B 100%", "lapsed", "summer sale")
ANCHOR = 0  # a person in every valid append and replace, never removed: TikTok does not keep an empty audience
POOL = range(1, 41)  # people who are added and removed
FIRST_MARKER = 1000
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
SETTLE = timedelta(seconds=300)
LIST_PAUSE = timedelta(hours=8)  # more than the six hours within which files belong to one export
AMBIGUOUS = 0.15  # share of lists with another list within the hour
MANIFEST = 0.4  # share of lists in their own folder with a manifest
CONFIRMED = 0.4  # share of lists with a _CONFIRMED

WRONG_KEYS = {
    "tiktok/file.csv": "wrong_layout",
    "tiktok/vip/file.csv": "wrong_layout",
    "tiktok/vip/email_sha1/file.csv": "unknown_identifier_type",
    "tiktok/vip/email_sha256/remvoe/file.csv": "unknown_action",
    "tiktok/vip/email_sha256/report.xlsx": "wrong_file_extension",
    f"tiktok/{'n' * 129}/email_sha256/file.csv": "wrong_audience_name",
    "TikTok/vip/email_sha256/file.csv": "wrong_layout",
}
NOT_DATA = (
    "tiktok/vip/email_sha256/append/",
    "tiktok/vip/email_sha256/append/.DS_Store",
    "tiktok/vip/email_sha256/append/daily/_SUCCESS",
    "tiktok/vip/email_sha256/append/_temporary/0/part-00000",
    "tiktok/vip/email_sha256/append/x.csv.filepart",
    "tiktok/vip/email_sha256/append/daily/0000manifest",
)


@dataclass
class Timeline:
    """Scheduled actions, ordered by time."""

    entries: list[tuple[datetime, int, Callable[[], object]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)

    def at(self, time: datetime, action: Callable[[], object]) -> None:
        """Schedule an action."""
        heapq.heappush(self.entries, (time, next(self._order), action))

    def next_time(self) -> datetime | None:
        """Return the time of the next action, or None if there is none."""
        return self.entries[0][0] if self.entries else None

    def due(self, now: datetime) -> list[Callable[[], object]]:
        """Remove and return the actions that are due."""
        found = []
        while self.entries and self.entries[0][0] <= now:
            found.append(heapq.heappop(self.entries)[2])
        return found


@dataclass
class Workload:
    """The actions of the people and tools of one advertiser.

    Attributes:
        audiences: name and identifier type of each audience.
        starts_at: the earliest time of an upload.
        days: the length of the period for which uploads are planned.
        put, copy, delete: callbacks of the run that change the bucket.
        uploads: the uploads so far, in order.
        kinds: the number of uploads of each kind of file.
    """

    random: Random
    plan: Timeline
    advertiser: str
    audiences: list[tuple[str, str]]
    starts_at: datetime
    days: float
    put: Callable[[PlannedUpload], None]
    copy: Callable[[PlannedUpload], PlannedUpload | None]
    delete: Callable[[PlannedUpload], None]
    uploads: list[PlannedUpload] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    def plan_all(self, uploads: int) -> None:
        """Schedule approximately this many uploads."""
        per_audience = max(2, uploads // len(self.audiences))
        for audience in self.audiences:
            self._plan_audience(audience, per_audience)
        for key, code in WRONG_KEYS.items():
            self._plan_other(key, frozenset({("rejected", code)}))
        for key in NOT_DATA:
            self._plan_other(key, None)

    def _random_time(self) -> datetime:
        return self.starts_at + timedelta(seconds=self.random.randrange(int(self.days * 86400)))

    def _plan_audience(self, audience: tuple[str, str], uploads: int) -> None:
        random = self.random
        planned, last_list = 0, datetime.min.replace(tzinfo=UTC)
        times = sorted(self._random_time() for _ in range(max(2, uploads // 2)))
        for index, time in enumerate(times):
            if planned >= uploads:
                return
            kind = "append" if not index else random.choices(["append", "remove", "replace"], [5, 4, 1])[0]
            if kind == "replace":
                if time - last_list > LIST_PAUSE:
                    planned += self._plan_list(audience, time)
                    last_list = time
                continue
            burst = random.choice([1, 1, 2, 4])
            at = time
            for _ in range(burst):
                at += timedelta(seconds=random.choice([1, 1, 2, 20, 200, 900]))
                self._plan_change(audience, "append" if not index else random.choice([kind, "append"]), at)
                planned += 1

    def _plan_change(self, audience: tuple[str, str], action: str, time: datetime) -> None:
        random = self.random
        folder = random.choice(["", "", "", "daily/", "2026/02/"])
        name = random.choice(["a.csv", "b.csv", "customers_{n}.csv", "export.txt", "x.csv.gz", "no extension"])
        name = name.format(n=random.randint(1, 9))

        def upload() -> None:
            done = self._upload(audience, action, folder, name)
            follow = random.random()
            later = done.at + timedelta(seconds=random.choice([30, 200, 400, 4000, 40_000]))
            if follow < 0.12:
                self.plan.at(later, lambda: self._upload(audience, action, folder, name))
            elif follow < 0.2:
                self.plan.at(later, lambda: self._copy(done))
            elif follow < 0.3:
                self.plan.at(later, lambda: self.delete(done))

        self.plan.at(time, upload)

    def _plan_list(self, audience: tuple[str, str], time: datetime) -> int:
        random = self.random
        folder = random.choice(["", f"{time:%Y-%m-%d-%H-%M}/", "full/dt=2026-02-01/"])
        if random.random() < AMBIGUOUS:
            twin = time + timedelta(minutes=random.randint(5, 40))
            self.plan.at(twin, lambda: self._upload(audience, "replace", f"again {twin:%d-%H-%M}/", "list.csv"))
        files = random.choice([1, 2, 4]) if folder else 1
        stem = "full" if not folder else "part"
        for number in range(files):
            self.plan.at(
                time + timedelta(seconds=number * random.choice([1, 40, 200])),
                partial(self._upload, audience, "replace", folder, f"{stem}-{number:05}"),
            )
        if f"{time:%H-%M}" in folder and random.random() < MANIFEST:
            self.plan.at(time + files * timedelta(seconds=200), partial(self._put_manifest, audience, folder))
        if random.random() < CONFIRMED:
            later = time + timedelta(hours=random.randint(1, 10))
            self.plan.at(later, partial(self._put_marker, audience, folder, "_CONFIRMED", b""))
        if random.random() < 0.12:

            def withdraw() -> None:
                mine = [each for each in self.uploads if each.audience == audience and each.action == "replace"]
                if mine:
                    self.delete(mine[-1])

            self.plan.at(time + timedelta(seconds=random.choice([1200, 50_000])), withdraw)
        return files

    def _put_manifest(self, audience: tuple[str, str], folder: str) -> None:
        listed = [each for each in self.uploads if (each.audience, each.folder) == (audience, folder)]
        entries = [{"url": f"s3://{self.advertiser}/{each.key}", "mandatory": True} for each in listed]
        self._put_marker(audience, folder, "manifest", json.dumps({"entries": entries}).encode())

    def _put_marker(self, audience: tuple[str, str], folder: str, name: str, body: bytes) -> None:
        """Upload a marker file to a folder."""
        key = f"tiktok/{audience[0]}/{audience[1]}/replace/{folder}{name}"
        file = GeneratedFile(name, body)
        self._put(PlannedUpload(len(self.uploads), self.advertiser, None, "", folder, name, key, file, *_UNKNOWN))

    def _copy(self, source: PlannedUpload) -> None:
        if not source.deleted and (copied := self.copy(source)):
            self.uploads.append(copied)

    def _plan_other(self, key: str, ends: frozenset[tuple[str, str]] | None) -> None:
        def upload() -> None:
            file = GeneratedFile("wrong key" if ends else "not data", b"x\n" if ends else b"")
            self._put(
                PlannedUpload(
                    len(self.uploads), self.advertiser, None, "", "", key, key, file, *_UNKNOWN, wrong_key=ends
                )
            )

        self.plan.at(self._random_time(), upload)

    def _upload(self, audience: tuple[str, str], action: str, folder: str, name: str) -> PlannedUpload:
        number = len(self.uploads)
        file, marker = self._file(audience[1], action, FIRST_MARKER + number)
        key = self._key(audience, action, folder, name)
        upload = PlannedUpload(
            number, self.advertiser, audience, action, folder, name, key, file, *_UNKNOWN, marker=marker
        )
        self._put(upload)
        return upload

    def _put(self, upload: PlannedUpload) -> None:
        self.kinds[upload.file.kind] += 1
        self.uploads.append(upload)
        self.put(upload)

    def _file(self, identifier_type: str, action: str, marker: int) -> tuple[GeneratedFile, int | None]:
        random = self.random
        people = random.sample(POOL, random.randint(3, 30))
        people += [] if action == "remove" else [ANCHOR]
        marked = random.random() < 0.85
        people += [marker] if marked else []
        draw = random.random()
        if draw < 0.05 and action != "replace":
            return hostile(random), None
        if draw < 0.07:
            return mostly_faulty(identifier_type, people), None
        if draw < 0.11 and action != "replace":
            return empty(random, identifier_type), None
        file = dirty(random, identifier_type, people) if draw < 0.25 else good(random, identifier_type, people)
        return file, marker if marked else None

    def _key(self, audience: tuple[str, str], action: str, folder: str, name: str) -> str:
        """Return a key for an upload, in one of many spellings of names and folders."""
        random = self.random
        spelled = random.choice(
            [audience[0], audience[0], unicodedata.normalize("NFD", audience[0]), f" {audience[0]}"]
        )
        identifier_type = random.choice([audience[1], audience[1], audience[1].upper()])
        middle = random.choice([action, action, action.capitalize()])
        slash = random.choice(["/", "/", "//"])
        if action == "replace":
            return f"tiktok/{audience[0]}/{audience[1]}/replace/{folder}{name}"
        if action == "append" and not folder and random.random() < 0.4:
            return f"tiktok/{spelled}{slash}{identifier_type}/{name}"
        return f"tiktok/{spelled}{slash}{identifier_type}/{middle}/{folder}{name}"


_UNKNOWN = (datetime.min.replace(tzinfo=UTC), "")  # time and version, which the bucket assigns


def audiences(random: Random, number: int) -> list[tuple[str, str]]:
    """Return up to `number` audiences, each with a different identifier type. At most two have the same name."""
    types = random.sample(TYPES, min(number, len(TYPES)))
    return [(NAMES[index // 2 % len(NAMES)], identifier_type) for index, identifier_type in enumerate(types)]
