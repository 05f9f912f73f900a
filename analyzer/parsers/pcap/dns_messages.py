"""What DNS messages say, and how far Zeek reads them.

Only questions and answers are read: Zeek's ``dns_skip_all_auth`` and ``dns_skip_all_addl`` are set
by default. Dynamic updates (RFC 2136) have a zone for a question, prerequisites for answers, and
updates after them. Source: Zeek 8.2's ``src/analyzer/protocol/dns/DNS.cc``, ``ParseMessage``,
``ParseQuestion`` and ``ParseAnswer``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analyzer.parsers.pcap.batches import Bytes, Counts, Flags
from analyzer.parsers.pcap.compiled import compiled
from analyzer.parsers.pcap.dns_records import (
    SILENT,
    STOP,
    STOP_AFTER,
    VIOLATION,
    Forms,
    Records,
    end_of_record,
    form_of,
    record_forms,
)
from analyzer.parsers.pcap.dns_text import skip_name

HEADER = 12
"""Bytes of a header (RFC 1035 section 4.1.1)."""

QUERY, NOTIFY, UPDATE = 0, 4, 5
"""Operation codes that Zeek follows; of NetBIOS it reads the others too."""

MAX_QUESTIONS = 25
"""Zeek's ``dns_max_queries``: what has more is no DNS."""

ON_NETBIOS, TO_NETBIOS = 1, 2
"""Bits of a message: either port is the NetBIOS name service's; the responder's is."""

FINDING = np.dtype(
    [
        ("identity", "i8"),  # the first two numbers of the header
        ("flags", "i8"),
        ("questions", "i8"),  # how many it says that it has
        ("records", "i8"),  # how many it says that it has, in all sections together
        ("ends", "i8"),  # 1 if Zeek raises dns_end for it
        ("complete", "i8"),  # 1 if it could be read to the end of the answers
        ("violates", "i8"),  # 1 if it is so broken that Zeek gives up on the connection
        ("name", "i8"),  # where the name of the last question begins, -1 without questions
        ("name_end", "i8"),  # where that ends
        ("type", "i8"),  # type and class of that question
        ("family", "i8"),
        ("owner", "i8"),  # where the name of the first answer begins, -1 without answers
    ],
    align=True,
)
"""What is found in a message."""

ANSWER = np.dtype(
    [
        ("message", "i8"),  # number of the message
        ("part", "i8"),  # what it is there
        ("owner", "i8"),  # where its name begins
        ("type", "i8"),
        ("family", "i8"),  # its class
        ("form", "i8"),  # number of its form
        ("lifetime", "i8"),  # seconds to live
        ("data", "i8"),  # where its data begins
        ("length", "i8"),  # how long that is
    ],
    align=True,
)
"""An answer of a message."""

RECORD, UPDATED, PREREQUISITE, DELETION = 0, 1, 2, 3
"""What an answer is: itself, or in a dynamic update (RFC 2136 section 2) a record to be added, a
prerequisite, or a deletion."""

CLASS_NONE, CLASS_ANY = 254, 255

_SOA = 6


class Messages(NamedTuple):
    """Messages to be read.

    Attributes:
        data: the bytes that hold them.
        starts: where each begins.
        ends: where each ends, at least :data:`HEADER` bytes on.
        netbios: bits of each, :data:`ON_NETBIOS` and :data:`TO_NETBIOS`.
    """

    data: Bytes
    starts: Counts
    ends: Counts
    netbios: Flags


def find(messages: Messages) -> Records:
    """What is found in messages, a :data:`FINDING` each."""
    found = np.empty(len(messages.starts), FINDING)
    _read(messages, record_forms(), found, np.empty(0, ANSWER), np.zeros(2, np.int64), False)
    return found


def find_answers(messages: Messages) -> Records:
    """The answers of messages, an :data:`ANSWER` each, in order."""
    found = np.empty(len(messages.starts), FINDING)
    answers = np.empty(4 * len(found) + 16, ANSWER)
    done = np.zeros(2, np.int64)
    while True:
        _read(messages, record_forms(), found, answers, done, True)
        if done[0] == len(found):
            return answers[: done[1]]
        answers = np.concatenate([answers, np.empty_like(answers)])


@compiled
def _short(data: Bytes, position: int) -> int:
    """The number in the two bytes at a position."""
    return (int(np.int64(data[position])) << 8) | int(np.int64(data[position + 1]))


@compiled
def _read(
    messages: Messages,
    forms: Forms,
    found: Records,
    answers: Records,
    done: Counts,
    keeping: bool,
) -> None:
    """Read messages until there is no room for the answers of another one.

    Args:
        messages: the messages.
        forms: how records are read.
        found: where to leave what is found.
        answers: where to leave the answers.
        done: how many messages are read and how many answers there are; brought up to date.
        keeping: keep the answers; otherwise they are only read.
    """
    data = messages.data
    count = done[1]
    for row in range(done[0], messages.starts.size):
        done[0], done[1] = row, count
        start, end = messages.starts[row], messages.ends[row]
        netbios = messages.netbios[row] & TO_NETBIOS != 0
        finding = found[row]
        finding.identity = _short(data, start)
        finding.flags = _short(data, start + 2)
        questions = _short(data, start + 4)
        before = questions + _short(data, start + 6)
        records = before
        authorities = _short(data, start + 8)
        finding.questions = questions
        finding.records = before - questions + authorities + _short(data, start + 10)
        finding.ends = 1
        finding.complete = 0
        finding.violates = 0
        finding.name = -1
        finding.owner = -1
        update = (finding.flags >> 11) & 15 == UPDATE and messages.netbios[row] & ON_NETBIOS == 0
        if questions > MAX_QUESTIONS:
            finding.violates = 1
            continue
        if update:
            records += authorities
            if questions != 1:
                continue
        zone = -1
        complete = True
        position = start + HEADER
        for index in range(records):
            name = position
            position = skip_name(data, position, end, netbios)
            if end - position < 4:
                complete = False
                break
            kind, family = _short(data, position), _short(data, position + 2)
            position += 4
            if index < questions:
                if not update:
                    finding.name = name
                    finding.name_end = position - 4
                    finding.type = kind
                    finding.family = family
                elif kind != _SOA:
                    finding.ends = 0
                    complete = False
                    break
                zone = family
                continue
            lifetime, length = 0, 0
            if end - position >= 4:
                lifetime = (_short(data, position) << 16) | _short(data, position + 2)
                position += 4
            if end - position >= 2:
                length = _short(data, position)
                position += 2
            if length > end - position:
                complete = False
                break
            part = RECORD
            if update:
                # An update that makes no sense is left out, and its data is not passed over.
                part = UPDATED
                added = family == zone or (family == CLASS_NONE and lifetime == 0)
                if index < before:
                    part = PREREQUISITE
                    asked = length == 0 and (family == CLASS_ANY or family == CLASS_NONE)
                    if lifetime != 0 or not (family == zone or asked):
                        continue
                elif length == 0 and family == CLASS_ANY and lifetime == 0:
                    part = DELETION
                elif not added or (length == 0 and end > position):
                    continue
            elif length == 0 and end > position:
                complete = False
                break
            form = form_of(forms, kind, netbios)
            after = position
            if part <= UPDATED:
                after = end_of_record(data, forms, form, position, length, end, netbios)
                if after == STOP or after == VIOLATION:
                    finding.violates = after == VIOLATION
                    complete = False
                    break
            if part > UPDATED or forms.forms[form].logged != SILENT:
                if finding.owner < 0:
                    finding.owner = name
                if keeping:
                    if count == answers.size:
                        return
                    answer = answers[count]
                    answer.message = row
                    answer.part = part
                    answer.owner = name
                    answer.type = kind
                    answer.family = family
                    answer.form = form
                    answer.lifetime = lifetime
                    answer.data = position
                    answer.length = length
                    count += 1
            if after == STOP_AFTER:
                complete = False
                break
            position = after
        finding.complete = complete
    done[0], done[1] = messages.starts.size, count
