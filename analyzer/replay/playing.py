"""From archived logs to a directory in which logs grow."""

from __future__ import annotations

import itertools
import math
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from analyzer.engine import DEFAULT_MEMORY_LIMIT, Engine
from analyzer.errors import EmptyInputError, OptionError
from analyzer.parsers.account import Account
from analyzer.parsers.discovery import Paths, paths_of
from analyzer.replay.clock import Clock, Immediate, Paced
from analyzer.replay.conversion import Conversion
from analyzer.replay.files import Compression, LogFiles
from analyzer.replay.ordering import OrderedRows
from analyzer.replay.reading import Row, read_rows
from analyzer.replay.shapes import Shape
from analyzer.replay.shifting import shifted
from analyzer.zeek_format import LogFormat

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)


@dataclass(frozen=True, slots=True)
class Replay:
    """What was replayed.

    Attributes:
        account: the books of reading: rows by log, lines skipped.
        first: when the first row was logged in the replay, UTC epoch seconds.
        last: when the last.
        rotations: how many files were rotated.
    """

    account: Account
    first: float
    last: float
    rotations: int


def replay(
    paths: Paths,
    out_dir: str | os.PathLike[str],
    *,
    speed: float = math.inf,
    rotate: float | None = None,
    format: LogFormat | None = None,  # noqa: A002 - the word of the option it comes from
    compress: Compression | None = None,
    archive: str | os.PathLike[str] | None = None,
    begin: float | None = None,
    memory_limit: str = DEFAULT_MEMORY_LIMIT,
    on_progress: Callable[[int], None] = lambda _: None,
    on_stage: Callable[[str], None] = lambda _: None,
) -> Replay:
    """Write archived logs again as a living Zeek would: in order, growing, rotated.

    Rows come in the order in which Zeek logged them: connections when they ended. All are read and
    sorted first, on disk where they exceed the memory limit. The same input gives the same files
    at any speed.

    Args:
        paths: logs (TSV, JSON, compressed or not), directories, patterns; ``-`` is standard input.
        out_dir: where the logs grow. It must hold none.
        speed: how many seconds of the logs pass in one; infinite for as fast as possible.
        rotate: seconds between rotations, at multiples of it since midnight (UTC); None for none.
        format: in which format to write; None to leave every row as it is, byte for byte.
        compress: whether rotated files are compressed; by default in an archive only, as
            ZeekControl does.
        archive: where rotated files go, by day; None to leave them in `out_dir`.
        begin: the time that the first row gets (UTC epoch seconds), with all others moved along;
            None to leave times as they are. Only the column ``ts`` is moved.
        memory_limit: what is held in memory before it spills to disk, such as ``2GiB``.
        on_progress: told of input bytes as they are read.
        on_stage: told what is being done.

    Raises:
        InputError: a path does not exist, or there is no row in any log.
        OptionError: an option makes no sense, or rows of one log with different columns overlap
            in time and `format` is None.
        OutputError: a file cannot be written, or `out_dir` holds logs already.
        ResourceError: memory or disk ran out.
    """
    _check(speed, rotate)
    account = Account()
    archived = None if archive is None else Path(archive)
    files = LogFiles(
        Path(out_dir),
        rotate=rotate,
        archive=archived,
        compress=compress or ("gz" if archived else "none"),
    )
    with Engine(memory_limit=memory_limit) as engine:
        ordered, conversion = OrderedRows(engine), Conversion(format)
        ordered.fill(_learned(read_rows(paths_of(paths), account, on_progress), conversion))
        if not ordered.count:
            raise EmptyInputError(account.nothing("no row of a Zeek log"))
        _refuse_overlaps(ordered, conversion)
        first = min(span.first for span in ordered.spans.values())
        later = 0 if begin is None else round((begin - first) * 1e6)
        on_stage("replaying")
        player = _Player(files, conversion, later)
        clock = Immediate() if math.isinf(speed) else Paced(first + later / 1e6, speed)
        last = player.play(ordered.batches(), clock, first)
    return Replay(account, first + later / 1e6, last, files.rotations)


def _check(speed: float, rotate: float | None) -> None:
    if not speed > 0:
        raise OptionError(f"speed {speed:g}: expected a number above 0, or max")
    if rotate is not None and not 1 <= rotate <= 366 * 86400:
        raise OptionError(f"rotate {rotate:g}: expected at least a second and at most a year")


def _learned(rows: Iterable[Row], conversion: Conversion) -> Iterator[Row]:
    for row in rows:
        conversion.learn(row.shape, row.data)
        yield row


def _refuse_overlaps(ordered: OrderedRows, conversion: Conversion) -> None:
    """Refuse to switch between columns back and forth, as no Zeek does."""
    by_name: dict[str, list[Shape]] = {}
    for shape in ordered.spans:
        if conversion.shape(shape) == shape:
            by_name.setdefault(shape.name, []).append(shape)
    for name, shapes in by_name.items():
        spans = sorted(ordered.spans[shape] for shape in shapes)
        if any(span.last > after.first for span, after in itertools.pairwise(spans)):
            raise OptionError(
                f"{name} logs of different columns or formats overlap in time; give --format "
                "tsv or json, or replay them into directories of their own"
            )


class _Player:
    """Writes rows when they are due, and ends the files whatever happens."""

    def __init__(self, files: LogFiles, conversion: Conversion, later: int) -> None:
        self._files = files
        self._conversion = conversion
        self._later = later
        self._shapes: dict[Shape, Shape] = {}

    def play(self, batches: Iterator[list[Row]], clock: Clock, first: float) -> float:
        """Play all rows; the moment of the last one, UTC epoch seconds."""
        last = first + self._later / 1e6
        try:
            for batch in batches:
                place = 0
                while place < len(batch):
                    due = self._due(batch, place, clock.now())
                    if due > place:
                        # In here no signal ends the program, so that only whole rows are written.
                        with _shielded():
                            last = self._write(batch[place:due])
                        place = due
                    else:
                        self._wait(clock, batch[place].moment + self._later / 1e6)
        finally:
            with _shielded():
                self._files.close(last)
        return last

    def _due(self, batch: Sequence[Row], place: int, now: float) -> int:
        while place < len(batch) and batch[place].moment + self._later / 1e6 <= now:
            place += 1
        return place

    def _write(self, rows: Sequence[Row]) -> float:
        moment = 0.0
        for row in rows:
            moment = row.moment + self._later / 1e6
            written = self._shapes.get(row.shape)
            if written is None:
                written = self._shapes[row.shape] = self._conversion.shape(row.shape)
            data = self._conversion.convert(row.shape, written, row.data)
            if self._later:
                data = shifted(written, data, self._later)
            self._files.write(moment, written, data)
        self._files.flush()
        return moment

    def _wait(self, clock: Clock, moment: float) -> None:
        clock.wait(min(moment, self._files.next_rotation))
        with _shielded():
            # A file is rotated when its time has come, rows or not.
            self._files.advance(min(clock.now(), moment))


@contextmanager
def _shielded() -> Iterator[None]:
    """Let the signals that end the program wait until what is within is done.

    They are not blocked, as the system would give them to another thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda n, _: came.append(n)) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if came:
            signal.raise_signal(came[0])
