"""What dns.log says of answers that are rare: NAPTR, SSHFP, and all of dynamic updates.

They are written one by one. Source: the handlers in Zeek's ``base/protocols/dns/main.zeek``.
"""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.batches import Bytes, Counts
from analyzer.parsers.pcap.dns_messages import (
    CLASS_ANY,
    CLASS_NONE,
    DELETION,
    PREREQUISITE,
    RECORD,
    TO_NETBIOS,
    UPDATED,
    Messages,
)
from analyzer.parsers.pcap.dns_names import QUERY_TYPES
from analyzer.parsers.pcap.dns_records import HEXADECIMAL, IPV4, IPV6, RULE, Records, record_forms
from analyzer.parsers.pcap.dns_text import CHAIN_LIMIT, NAME_ROOM, write_name

_ANY_TYPE = 255


def with_rare_answers(
    messages: Messages, answers: Records, content: Bytes, ends: Counts
) -> tuple[Bytes, Counts]:
    """The texts of answers with those of rare ones in their places.

    Args:
        messages: the messages.
        answers: their answers, :data:`~.dns_messages.ANSWER`.
        content: the texts, one after the other, as if there were no dynamic updates, and without
            anything for rare types.
        ends: where each of them ends.
    """
    logged = record_forms().forms["logged"][answers["form"]]
    part = answers["part"]
    rare = (part >= UPDATED) & (part <= DELETION)
    rare |= (part == RECORD) & ((logged == HEXADECIMAL) | (logged == RULE))
    which = np.flatnonzero(rare)
    if not len(which):
        return content, ends
    starts = np.append(0, ends[:-1])[which]
    texts = [
        _rare_answer(messages, answer, content[start:end].tobytes())
        for answer, start, end in zip(answers[which], starts, ends[which], strict=True)
    ]
    pieces = []
    done = 0
    for text, start, end in zip(texts, starts.tolist(), ends[which].tolist(), strict=True):
        pieces += [content[done:start].tobytes(), text]
        done = end
    whole = b"".join([*pieces, content[done:].tobytes()])
    lengths = np.diff(ends, prepend=0)
    lengths[which] = [len(text) for text in texts]
    return np.frombuffer(whole, np.uint8), np.cumsum(lengths)


def _rare_answer(messages: Messages, answer: np.void, plain: bytes) -> bytes:
    """A rare answer, given what there is of it."""
    if answer["part"] == PREREQUISITE:
        return b"pre: " + _prerequisite(messages, answer)
    if answer["part"] == DELETION:
        if answer["type"] == _ANY_TYPE:
            return b"del: RRSet * " + _name(messages, answer, answer["owner"])
        return b"del: RRSet " + _type_name(answer)
    logged = record_forms().forms["logged"][answer["form"]]
    if logged == RULE:
        plain = _rule(messages, answer)
    elif logged == HEXADECIMAL:
        data = messages.data[answer["data"] + 2 : answer["data"] + answer["length"]]
        plain = b"SSHFP: " + data.tobytes().hex().encode()
    elif logged in (IPV4, IPV6):
        owner = _name(messages, answer, answer["owner"])
        plain = b" ".join([_type_name(answer), owner, plain])
    # Zeek takes what begins like a deletion for one.
    if answer["part"] == UPDATED and plain and not plain.startswith(b"del:"):
        return b"add: " + plain
    return plain


def _prerequisite(messages: Messages, answer: np.void) -> bytes:
    """What has to be true for an update (RFC 2136 section 2.4)."""
    owner = _name(messages, answer, answer["owner"])
    if answer["type"] == _ANY_TYPE and answer["family"] == CLASS_NONE:
        return b"NameNotInUse " + owner
    if answer["type"] == _ANY_TYPE and answer["family"] == CLASS_ANY:
        return b"NameInUse " + owner
    what = b"NoRRSet" if answer["family"] == CLASS_NONE else b"RRSetExists"
    return b" ".join([what, _type_name(answer), owner])


def _rule(messages: Messages, answer: np.void) -> bytes:
    """A NAPTR record: order, preference, flags, service, then expression or replacement or both."""
    position = int(answer["data"])
    numbers = [messages.data[place : place + 2].tobytes() for place in (position, position + 2)]
    position += 4
    strings = []
    for _ in range(3):
        size = int(messages.data[position])
        strings.append(messages.data[position + 1 : position + 1 + size].tobytes())
        position += 1 + size
    flags, service, expression = strings
    rest = [
        part for part in (expression, _name(messages, answer, position, keep_case=True)) if part
    ]
    order, preference = (str(int.from_bytes(number)).encode() for number in numbers)
    return b" ".join([b"NAPTR", order, preference, flags, service, b" ".join(rest)])


def _type_name(answer: np.void) -> bytes:
    return QUERY_TYPES.get(int(answer["type"]), f"query-{answer['type']}").encode()


def _name(messages: Messages, answer: np.void, position: int, *, keep_case: bool = False) -> bytes:
    text = np.empty(NAME_ROOM, np.uint8)
    message = answer["message"]
    end = write_name(
        messages.data,
        int(messages.starts[message]),
        int(position),
        int(messages.ends[message]),
        bool(messages.netbios[message] & TO_NETBIOS),
        keep_case,
        text,
        0,
        np.empty(CHAIN_LIMIT + 1, np.int64),
    )
    return text[:end].tobytes()
