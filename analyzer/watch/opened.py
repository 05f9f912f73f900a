"""What the service works with, opened in order: a lock first, so that nobody else has it too."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from analyzer.watch.following import Follower
from analyzer.watch.former import PAST
from analyzer.watch.intake import Intake, start_anew_if_changed
from analyzer.watch.options import Options
from analyzer.watch.segments import Segments
from analyzer.watch.speaking import Speaker, notice_key
from analyzer.watch.state import State
from analyzer.watch.streams import Streams
from analyzer.writers.appending import AppendingLog
from analyzer.writers.durable import claim
from analyzer.writers.log_kinds import LogKind

TAKING_IN = "256MiB"
"""What taking in, and the fast rules, may hold in memory."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What the service works with.

    Attributes:
        logs: where findings are said.
        state: what must survive.
        segments: the files of the window.
        follower: reads the sensor's logs.
        intake: takes what it reads into the window.
        speaker: says what is news.
    """

    logs: tuple[AppendingLog, ...]
    state: State
    segments: Segments
    follower: Follower
    intake: Intake
    speaker: Speaker


def open_all(
    options: Options,
    stack: contextlib.ExitStack,
    *,
    complain: Callable[[str], None],
    inform: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float],
) -> Opened:
    """Open everything.

    Args:
        options: what the service is told.
        stack: closes it again.
        complain: told of what is not as it was left, and of lines that are no records.
        inform: told of what is to be known and is not wrong.
        clock: tells the time, UTC epoch seconds.

    Raises:
        AnalyzerError: something cannot be opened, or another service has it.
    """
    kinds: tuple[LogKind, ...] = (options.format, "findings")
    logs = tuple(
        stack.enter_context(
            AppendingLog(
                options.out,
                format=kind,
                strict=options.strict and kind == options.format,
                clock=clock,
                key=notice_key,
            )
        )
        for kind in kinds
    )
    state = stack.enter_context(State(options.state))
    stack.callback(os.close, claim(options.state / "watch.sqlite"))
    segments = Segments(options.state / "window", memory_limit=TAKING_IN, threads=options.threads)
    stack.callback(segments.close)
    if start_anew_if_changed(state, segments):
        complain("another version has written the window; logs are read again")
    if options.start == "beginning":
        state.forget_logs()
        state.set_fact(PAST, "")
    follower = Follower(
        options.tops,
        excluded=(options.out, options.state),
        streams=Streams(state.streams()),
        resting=state.resting(),
        since=_since(options, state, clock()),
    )
    stack.callback(follower.close)
    intake = Intake(
        state,
        segments,
        follower,
        span=options.span,
        most=options.most,
        keeps_left=options.keeps_days,
        keeps_unlearned=options.baseline is not None,
        on_problem=lambda problem: complain(str(problem)),
    )
    speaker = Speaker(state, logs, options.span, kept=max(options.span, options.slow_span))
    _tell_of_baseline(options.baseline, complain, inform)
    if intake.lost:
        complain(f"{intake.lost} rows of the window are gone from {options.state}")
    if speaker.unreadable:
        complain(f"{speaker.unreadable} findings that another version meant to write are lost")
    return Opened(logs, state, segments, follower, intake, speaker)


def _tell_of_baseline(
    path: Path | None, complain: Callable[[str], None], inform: Callable[[str], None]
) -> None:
    if path is None:
        return
    if not os.access(path.parent, os.W_OK):
        complain(f"{path}: nothing can be learned, as its directory cannot be written")
    elif not path.exists():
        inform(f"{path}: not there yet; it is begun an hour after midnight (UTC)")


def _since(options: Options, state: State, now: float) -> float:
    """When logs must have been written to at least for them to be read from their beginning."""
    if options.start == "end":
        return math.inf
    if options.start == "stopped" and not state.fact("begun"):
        return now - options.span
    return -math.inf
