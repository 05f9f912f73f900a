"""Every line of every log once, whatever becomes of its file.

Each look compares the files there are with the logs that are known by how they begin
(:mod:`analyzer.watch.streams`); what is new in any of them is read from where that log was left.
Files that are written are held open, so that one which is moved away and compressed is still read
to its end. Nothing here is kept on disk: whoever reads takes :class:`Portion` objects, keeps what
came of them together with their :attr:`Portion.stream`, and only then says so by
:meth:`Follower.accept`. What is not accepted comes again.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from analyzer.parsers.header import FIRST_LINES, is_json
from analyzer.parsers.reading import json_log
from analyzer.watch.contents import Content, whole_lines
from analyzer.watch.looking import Identity, Lookout, Seen
from analyzer.watch.streams import (
    Kind,
    Stream,
    Streams,
    digest,
    identifying_size,
    tsv_kind,
)

PORTION = 1 << 26
"""About as many bytes as are read of one log at once."""

HELD_OPEN = 7200.0
"""Seconds after its last change that a file is held open: twice Zeek's usual rotation interval."""

OPEN = 86400.0
"""Seconds after its last change that a log of open connections is of use: what it tells of has
ended by then, or a later one tells more."""

GONE = 600.0
"""Seconds that a file which was moved away is still watched for what its writer has left over."""

MOST_READ = 128
"""Files that are read at once: what is not at its end is held open, compressed files twice."""

MOST_HELD = 256
"""Files at their end that are held open, the latest: a process may have 1,024 by default."""

_BEYOND = 1 << 62
# Files that are still being made.
_UNDER_WAY = (".tmp", ".part")
# What we write ourselves.
_NO_LOGS = ("notice.",)
# Connections that had not ended.
_OPEN = "open_"


@dataclass(frozen=True, slots=True)
class Portion:
    """Lines of a log that have not been read before.

    Attributes:
        before: the log as it was before them.
        stream: the log as it is after them.
        data: whole lines.
        overlong: the length of a line that stands before them and is too long to be read, or 0.
        path: the file they are in.
        modified: when that was last written, UTC epoch seconds.
    """

    before: Stream
    stream: Stream
    data: bytes
    overlong: int
    path: str
    modified: float


@dataclass(slots=True)
class _File:
    seen: Seen
    number: int | None = None
    content: Content | None = None
    # Size and time of the state that holds nothing more to read.
    read: tuple[int, int] | None = None
    # Its size at the last look.
    looked: int = 0
    reached: int = 0
    gone: float | None = None


@dataclass(frozen=True, slots=True)
class Rest:
    """A file of which nothing more will come, so that it need not be opened after a restart."""

    seen: Seen
    number: int


@dataclass(slots=True)
class Follower:
    """Follows the logs below directories.

    Args:
        tops: the directories.
        excluded: directories below them that are not looked into.
        streams: the logs that are known from before.
        resting: files of them that are known to have been read.
        since: logs that nobody has written to since then are taken as read if they are there at
            the first look; UTC epoch seconds, infinity for all.
        portion: about as many bytes as are read of one log at once.

    Attributes:
        faults: what cannot be read, and why, by path.
        behind: bytes on disk that have not been read, as of the last reading.
        waiting: when the oldest file with such bytes was last written, UTC epoch seconds; None if
            there is none.
        has_more: whether the last portions left anything that was there at the last look. What has
            been written since can wait for the next: somebody always writes.
    """

    tops: Collection[Path]
    excluded: Collection[Path] = ()
    streams: Streams = field(default_factory=Streams)
    resting: Iterable[Rest] = ()
    since: float = -math.inf
    portion: int = PORTION
    faults: dict[str, str] = field(default_factory=dict)
    behind: int = 0
    waiting: float | None = None
    has_more: bool = False
    _files: dict[Identity, _File] = field(default_factory=dict, init=False)
    _advanced: dict[int, Stream] = field(default_factory=dict, init=False)
    _rested: list[Rest] = field(default_factory=list, init=False)
    _round: list[_File] = field(default_factory=list, init=False)
    _last: int = field(default=0, init=False)
    _held: int = field(default=0, init=False)
    _lookout: Lookout = field(init=False)
    # What could not be looked at last time.
    _unseen: set[str] = field(default_factory=set, init=False)
    _is_first: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        self._lookout = Lookout(self.tops, self.excluded)
        self._last = max(self.streams.numbers(), default=0)
        for rest in self.resting:
            seen = rest.seen
            self._files[seen.identity] = _File(seen, rest.number, read=(seen.size, seen.modified))

    def close(self) -> None:
        """Let go of all files."""
        for file in self._files.values():
            _let_go(file)

    def look(self, now: float) -> None:
        """See which files there are.

        Args:
            now: UTC epoch seconds.
        """
        here = set()
        for seen in self._lookout.look(now):
            name = seen.path.rpartition("/")[2]
            if name.startswith(_NO_LOGS) or name.endswith(_UNDER_WAY):
                continue
            if name.startswith(_OPEN) and seen.modified / 1e9 < now - OPEN:
                continue
            here.add(seen.identity)
            file = self._files.get(seen.identity)
            if file is None:
                self._files[seen.identity] = file = _File(seen)
            file.seen, file.looked, file.gone = seen, seen.size, None
            if self._is_first and seen.modified / 1e9 < self.since:
                self._take_as_read(file, now)
        self._is_first = False
        for identity in self._files.keys() - here:
            self._miss(identity, now)
        for path in self._unseen:
            self.faults.pop(path, None)
        self._unseen = set(self._lookout.faults)
        self.faults |= self._lookout.faults

    def portions(self, now: float, limit: int = _BEYOND) -> Iterator[Portion]:
        """What is new, at most a portion of each log, the files last written to last.

        Args:
            now: UTC epoch seconds.
            limit: bytes after which no further portion is given; none is after :data:`MOST_READ`.
        """
        self.refuse()
        self.behind, self.waiting, self.has_more = 0, None, False
        self._held = sum(file.content is not None for file in self._files.values())
        given = count = 0
        for file in sorted(self._files.values(), key=lambda file: file.seen.modified):
            if file.read == (file.seen.size, file.seen.modified):
                continue
            if given >= limit or count >= MOST_READ:
                self.has_more = True
                self._wait_for(file, file.seen.size - min(file.reached, file.seen.size))
                continue
            self._round.append(file)
            try:
                self.faults.pop(file.seen.path, None)
                for portion in self._portion(file, now):
                    given += len(portion.data)
                    count += 1
                    yield portion
            except FileNotFoundError:
                # Renamed since it was looked at: the next look finds it.
                _let_go(file)
            except OSError as error:
                _let_go(file)
                self.faults[file.seen.path] = error.strerror or str(error)

    @property
    def advanced(self) -> list[Stream]:
        """The logs as they are after the portions given since they were last asked for."""
        return list(self._advanced.values())

    @property
    def rested(self) -> list[Rest]:
        """The files of which nothing more will come, of those met since then."""
        return list(self._rested)

    def accept(self) -> None:
        """Go on from behind the portions given since they were last asked for."""
        for stream in self._advanced.values():
            self.streams.put(stream)
        for rest in self._rested:
            self._lookout.rest(rest.seen)
        self._advanced.clear()
        self._rested.clear()
        self._round.clear()

    def refuse(self) -> None:
        """Give the portions again that were given and not accepted."""
        for file in self._round:
            file.read = None
        self._advanced.clear()
        self._rested.clear()
        self._round.clear()

    def identities(self) -> set[Identity]:
        """The files there are."""
        return {identity for identity, file in self._files.items() if file.gone is None}

    def lost(self, before: float) -> list[int]:
        """Numbers of logs of which there is no file, and which were last read before a time."""
        here = {file.number for file in self._files.values()}
        return [
            number
            for number in self.streams.numbers()
            if number not in here and self.streams[number].touched < before
        ]

    def _portion(self, file: _File, now: float) -> Iterator[Portion]:
        content = self._opened(file)
        state = content.state
        file.seen = replace(file.seen, size=state.st_size, modified=state.st_mtime_ns)
        stream = self._stream(file, content, now)
        if stream is None or stream.kind == "other":
            self._done(file, content, stream, now)
            return
        if not content.is_compressed and state.st_size < min(file.reached, stream.offset):
            # Its end was cut off; what stands there by now is new.
            end = content.read(0, state.st_size).rfind(b"\n") + 1
            stream = replace(stream, offset=end)
            # So it is even if nothing that comes of it can be kept: nobody would see it again.
            self.streams.put(stream)
            self._advanced[stream.number] = stream
            file.reached = end
        data, overlong = whole_lines(content, stream.offset, self.portion)
        if data or overlong:
            moved = replace(stream, offset=stream.offset + overlong)
            lines = data.count(b"\n") + (bool(data) and not data.endswith(b"\n")) + bool(overlong)
            after = moved.after(data, lines, file.seen.path, now)
            self._advanced[stream.number] = after
            file.reached = after.offset
            self.has_more |= content.is_compressed or after.offset < file.looked
            if not content.is_compressed:
                self._wait_for(file, state.st_size - after.offset)
            yield Portion(stream, after, data, overlong, file.seen.path, state.st_mtime_ns / 1e9)
            return
        self._done(file, content, stream, now)

    def _done(self, file: _File, content: Content, stream: Stream | None, now: float) -> None:
        """Leave a file alone until it changes: all there is of it has been read."""
        now_there = (file.seen.size, file.seen.modified)
        file.read = content.begun if content.is_compressed else now_there
        if file.read == now_there and content.is_compressed and stream is not None:
            if content.is_whole or stream.kind == "other":
                self._rested.append(Rest(file.seen, stream.number))
            elif content.fault and self._is_old(file, now):
                self.faults[file.seen.path] = content.fault
        self._close_if_settled(file, now)

    def _wait_for(self, file: _File, size: int) -> None:
        """Note that some of a file is not read yet."""
        if size > 0:
            self.behind += size
            if self.waiting is None:
                self.waiting = file.seen.modified / 1e9

    def _is_old(self, file: _File, now: float) -> bool:
        """Whether nobody is writing a file any more."""
        return now - file.seen.modified / 1e9 > GONE

    def _opened(self, file: _File) -> Content:
        if file.content is None:
            file.content = Content(file.seen.path)
            self._held += 1
            state = file.content.state
            if (state.st_dev, state.st_ino) != file.seen.identity:
                _let_go(file)
                raise FileNotFoundError(2, "was replaced while it was opened")
        elif file.content.is_compressed:
            if file.read is not None:
                file.content.again()
        else:
            file.content.recognise()
        file.read = None
        return file.content

    def _stream(self, file: _File, content: Content, now: float) -> Stream | None:
        """The log that a file holds; None as long as nobody can tell."""
        begins = content.begins()
        if file.number is not None:
            stream = self._current(file.number)
            if stream is not None and stream.is_begun_by(begins):
                return stream
            # The sensor has begun a new log in the same file, or another file has its inode.
            file.number, file.reached = None, 0
        stream = self.streams.begun_by(begins)
        if stream is None:
            stream = self._new(begins, content, file, now)
        if stream is not None:
            file.number = stream.number
            stream = self._current(stream.number)
        return stream

    def _current(self, number: int) -> Stream | None:
        return self._advanced.get(number) or self.streams.get(number)

    def _new(self, begins: bytes, content: Content, file: _File, now: float) -> Stream | None:
        size = identifying_size(begins)
        if not size:
            return None
        kind = kind_of(begins[:size], content)
        if kind is None:
            return None
        self._last += 1
        stream = Stream(
            number=self._last,
            kind=kind,
            head=digest(begins[:size]),
            head_size=size,
            path=file.seen.path,
            touched=now,
        )
        self.streams.put(stream)
        return stream

    def _take_as_read(self, file: _File, now: float) -> None:
        """Take all that a file holds as read."""
        try:
            content = self._opened(file)
            stream = self._stream(file, content, now)
            if stream is None or stream.kind == "other":
                return
            if content.is_compressed:
                stream = replace(stream, offset=_BEYOND)
            while not content.is_compressed:
                data, overlong = whole_lines(content, stream.offset, self.portion)
                if not data and not overlong:
                    break
                passed = replace(stream, offset=stream.offset + overlong)
                lines = data.count(b"\n") + bool(overlong)
                stream = passed.after(data, lines, file.seen.path, now)
            # Not touched by us: should all be read again, this was not part of it.
            stream = replace(stream, touched=file.seen.modified / 1e9)
            self.streams.put(stream)
            file.reached = min(stream.offset, file.seen.size)
            self._close_if_settled(file, now)
        except OSError as error:
            self.faults[file.seen.path] = error.strerror or str(error)

    def _miss(self, identity: Identity, now: float) -> None:
        """A file is not where it was: whoever holds it open can still read the rest."""
        file = self._files[identity]
        if file.content is None:
            del self._files[identity]
            self.faults.pop(file.seen.path, None)
            return
        file.gone = now if file.gone is None else file.gone
        state = file.content.state
        file.seen = replace(file.seen, size=state.st_size, modified=state.st_mtime_ns)
        file.looked = state.st_size
        is_read = file.read == (state.st_size, state.st_mtime_ns)
        if is_read and now - file.gone > GONE:
            _let_go(file)
            del self._files[identity]

    def _close_if_settled(self, file: _File, now: float) -> None:
        is_old = now - file.seen.modified / 1e9 > HELD_OPEN
        is_surplus = self._held > MOST_HELD and file.gone is None
        if file.content is not None and (is_old or is_surplus or file.content.is_compressed):
            _let_go(file)
            self._held -= 1


def kind_of(begins: bytes, content: Content) -> Kind | None:
    """How the rows of a log are to be read; None as long as nobody can tell.

    Args:
        begins: its first bytes, as many as tell logs apart.
        content: all of it, for JSON logs whose first rows are not ours.
    """
    kind = tsv_kind(begins)
    if kind is not None:
        return kind
    if not is_json(begins):
        return "other"
    log = json_log(begins)
    if log == "":
        return "json"
    # One file may hold rows of several logs.
    rows = content.read(0, 1 << 20)
    rows = rows[: rows.rfind(b"\n") + 1]
    log = json_log(rows)
    if log == "":
        return "json"
    return "other" if rows.count(b"\n") >= FIRST_LINES else None


def _let_go(file: _File) -> None:
    if file.content is not None:
        with contextlib.suppress(OSError):
            file.content.close()
        file.content = None
