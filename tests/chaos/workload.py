"""A seeded plan: who uploads, overwrites, deletes and renames what and when, and how the events of it arrive."""

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

from tests.chaos.uploads import TYPES, MadeFile, Planned, dirty, empty, good, hostile, mostly_faulty

NAMES = ("vip", "Käufer 2026", "A+B 100%", "lapsed", "summer sale")
ANCHOR = 0  # in every append and replace and never removed: TikTok keeps no empty audience
POOL = range(1, 41)  # people who come and go
FIRST_MARKER = 1000
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
SETTLE = timedelta(seconds=300)
LIST_PAUSE = timedelta(hours=8)  # more than the six hours within which files belong to one export
AMBIGUOUS = 0.15  # share of lists beside which another one is uploaded within the hour
MANIFEST = 0.4  # share of lists in a folder of their own that have one
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
    """Actions on a timeline."""

    entries: list[tuple[datetime, int, Callable[[], object]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)

    def at(self, moment: datetime, action: Callable[[], object]) -> None:
        """Do something at a moment."""
        heapq.heappush(self.entries, (moment, next(self._order), action))

    def next_time(self) -> datetime | None:
        """Return the time of the next action."""
        return self.entries[0][0] if self.entries else None

    def due(self, now: datetime) -> list[Callable[[], object]]:
        """Take the actions whose time has come."""
        found = []
        while self.entries and self.entries[0][0] <= now:
            found.append(heapq.heappop(self.entries)[2])
        return found


@dataclass
class Workload:
    """The deeds of one advertiser's people and tools.

    Attributes:
        put: uploads a file under a key and returns its upload; the function that does it is the run's.
        audiences: name and identifier type of each.
        begin: when the first upload comes.
        days: time over which uploads come.
    """

    random: Random
    plan: Timeline
    advertiser: str
    audiences: list[tuple[str, str]]
    begin: datetime
    days: float
    put: Callable[[Planned], None]
    copy: Callable[[Planned], Planned | None]
    delete: Callable[[Planned], None]
    uploads: list[Planned] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    def plan_all(self, uploads: int) -> None:
        """Put about so many uploads on the timeline."""
        per_audience = max(2, uploads // len(self.audiences))
        for audience in self.audiences:
            self._plan_audience(audience, per_audience)
        for key, code in WRONG_KEYS.items():
            self._plan_other(key, frozenset({("rejected", code)}))
        for key in NOT_DATA:
            self._plan_other(key, None)

    def _moment(self) -> datetime:
        return self.begin + timedelta(seconds=self.random.randrange(int(self.days * 86400)))

    def _plan_audience(self, audience: tuple[str, str], uploads: int) -> None:
        random = self.random
        planned, last_list = 0, datetime.min.replace(tzinfo=UTC)
        moments = sorted(self._moment() for _ in range(max(2, uploads // 2)))
        for index, moment in enumerate(moments):
            if planned >= uploads:
                return
            kind = "append" if not index else random.choices(["append", "remove", "replace"], [5, 4, 1])[0]
            if kind == "replace":
                if moment - last_list > LIST_PAUSE:
                    planned += self._plan_list(audience, moment)
                    last_list = moment
                continue
            burst = random.choice([1, 1, 2, 4])
            at = moment
            for _ in range(burst):
                at += timedelta(seconds=random.choice([1, 1, 2, 20, 200, 900]))
                self._plan_change(audience, "append" if not index else random.choice([kind, "append"]), at)
                planned += 1

    def _plan_change(self, audience: tuple[str, str], action: str, moment: datetime) -> None:
        random = self.random
        folder = random.choice(["", "", "", "daily/", "2026/02/"])
        name = random.choice(["a.csv", "b.csv", "customers_{n}.csv", "export.txt", "x.csv.gz", "no extension"])
        name = name.format(n=random.randint(1, 9))

        def upload() -> None:
            done = self._upload(audience, action, folder, name)
            follow = random.random()
            later = self.now(done) + timedelta(seconds=random.choice([30, 200, 400, 4000, 40_000]))
            if follow < 0.12:
                self.plan.at(later, lambda: self._upload(audience, action, folder, name))
            elif follow < 0.2:
                self.plan.at(later, lambda: self._copy(done))
            elif follow < 0.3:
                self.plan.at(later, lambda: self.delete(done))

        self.plan.at(moment, upload)

    def _plan_list(self, audience: tuple[str, str], moment: datetime) -> int:
        random = self.random
        folder = random.choice(["", f"{moment:%Y-%m-%d-%H-%M}/", "full/dt=2026-02-01/"])
        if random.random() < AMBIGUOUS:
            twin = moment + timedelta(minutes=random.randint(5, 40))
            self.plan.at(twin, lambda: self._upload(audience, "replace", f"again {twin:%d-%H-%M}/", "list.csv"))
        files = random.choice([1, 2, 4]) if folder else 1
        stem = "full" if not folder else "part"
        for number in range(files):
            self.plan.at(
                moment + timedelta(seconds=number * random.choice([1, 40, 200])),
                partial(self._upload, audience, "replace", folder, f"{stem}-{number:05}"),
            )
        if f"{moment:%H-%M}" in folder and random.random() < MANIFEST:
            self.plan.at(moment + files * timedelta(seconds=200), partial(self._put_manifest, audience, folder))
        if random.random() < CONFIRMED:
            later = moment + timedelta(hours=random.randint(1, 10))
            self.plan.at(later, partial(self._put_marker, audience, folder, "_CONFIRMED", b""))
        if random.random() < 0.12:

            def withdraw() -> None:
                mine = [each for each in self.uploads if each.audience == audience and each.action == "replace"]
                if mine:
                    self.delete(mine[-1])

            self.plan.at(moment + timedelta(seconds=random.choice([1200, 50_000])), withdraw)
        return files

    def _put_manifest(self, audience: tuple[str, str], folder: str) -> None:
        listed = [each for each in self.uploads if (each.audience, each.folder) == (audience, folder)]
        entries = [{"url": f"s3://{self.advertiser}/{each.key}", "mandatory": True} for each in listed]
        self._put_marker(audience, folder, "manifest", json.dumps({"entries": entries}).encode())

    def _put_marker(self, audience: tuple[str, str], folder: str, name: str, body: bytes) -> None:
        """Upload a file that says something about its folder."""
        key = f"tiktok/{audience[0]}/{audience[1]}/replace/{folder}{name}"
        file = MadeFile(name, body)
        self._put(Planned(len(self.uploads), self.advertiser, None, "", folder, name, key, file, *_UNKNOWN))

    def now(self, upload: Planned) -> datetime:
        """Return the time of an upload that has just been made."""
        return upload.at

    def _copy(self, source: Planned) -> None:
        if not source.deleted and (made := self.copy(source)):
            self.uploads.append(made)

    def _plan_other(self, key: str, ends: frozenset[tuple[str, str]] | None) -> None:
        def upload() -> None:
            file = MadeFile("wrong key" if ends else "not data", b"x\n" if ends else b"")
            self._put(
                Planned(len(self.uploads), self.advertiser, None, "", "", key, key, file, *_UNKNOWN, wrong_key=ends)
            )

        self.plan.at(self._moment(), upload)

    def _upload(self, audience: tuple[str, str], action: str, folder: str, name: str) -> Planned:
        number = len(self.uploads)
        file, marker = self._file(audience[1], action, FIRST_MARKER + number)
        key = self._key(audience, action, folder, name)
        upload = Planned(number, self.advertiser, audience, action, folder, name, key, file, *_UNKNOWN, marker=marker)
        self._put(upload)
        return upload

    def _put(self, upload: Planned) -> None:
        self.kinds[upload.file.kind] += 1
        self.uploads.append(upload)
        self.put(upload)

    def _file(self, identifier_type: str, action: str, marker: int) -> tuple[MadeFile, int | None]:
        random = self.random
        people = random.sample(POOL, random.randint(3, 30))
        people += [] if action == "remove" else [ANCHOR]
        marked = random.random() < 0.85
        people += [marker] if marked else []
        fate = random.random()
        if fate < 0.05 and action != "replace":
            return hostile(random), None
        if fate < 0.07:
            return mostly_faulty(identifier_type, people), None
        if fate < 0.11 and action != "replace":
            return empty(random, identifier_type), None
        file = dirty(random, identifier_type, people) if fate < 0.25 else good(random, identifier_type, people)
        return file, marker if marked else None

    def _key(self, audience: tuple[str, str], action: str, folder: str, name: str) -> str:
        """Return a key for an upload; people spell names and folders in many ways."""
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


_UNKNOWN = (datetime.min.replace(tzinfo=UTC), "")  # time and version, which the bucket decides


def audiences(random: Random, number: int) -> list[tuple[str, str]]:
    """Return some audiences; two of them have the same name and different types."""
    types = random.sample(TYPES, min(number, len(TYPES)))
    return [(NAMES[index // 2 % len(NAMES)], identifier_type) for index, identifier_type in enumerate(types)]
