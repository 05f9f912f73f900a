"""What Zeek's dns.log says of answers, and of the names asked for.

Source: the handlers in Zeek's ``base/protocols/dns/main.zeek``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analyzer.parsers.pcap.batches import Bytes, Counts
from analyzer.parsers.pcap.compiled import compiled
from analyzer.parsers.pcap.dns_messages import TO_NETBIOS, UPDATED, Messages
from analyzer.parsers.pcap.dns_rare_answers import with_rare_answers
from analyzer.parsers.pcap.dns_records import (
    FORM_WORDS,
    HEXADECIMAL,
    IPV4,
    IPV6,
    NAME,
    RRSIG_WORD,
    RULE,
    TEXTS,
    UNKNOWN_WORD,
    Records,
    record_forms,
)
from analyzer.parsers.pcap.dns_text import (
    CHAIN_LIMIT,
    NAME_ROOM,
    write_bytes,
    write_ipv6,
    write_name,
    write_number,
)

NAME_ALONE = 4
"""Part of a message that is no answer but a name, beside those in :mod:`~.dns_messages`."""

_ADDRESS = 16
_SPACE, _POINT, _GREATER = 32, 46, 62


class _Words(NamedTuple):
    """Constant texts, and the room that writing takes.

    Attributes:
        forms: how records are logged.
        text: the words that records begin with, one after the other.
        bounds: where each of them begins, and at last where the last one ends.
        levels: as for :func:`write_name`.
        address: room for an address.
    """

    forms: Records
    text: Bytes
    bounds: Counts
    levels: Counts
    address: Bytes


def answer_texts(messages: Messages, answers: Records) -> tuple[Bytes, Counts]:
    """What dns.log says of answers, empty for those that are only taken note of.

    Args:
        messages: the messages.
        answers: their answers, :data:`~.dns_messages.ANSWER`.

    Returns:
        The texts, one after the other, and where each of them ends.
    """
    words = _Words(
        forms=record_forms().forms,
        text=np.array(list("".join(FORM_WORDS).encode()), np.uint8),
        bounds=np.cumsum([0, *map(len, FORM_WORDS)]),
        levels=np.empty(CHAIN_LIMIT + 1, np.int64),
        address=np.empty(_ADDRESS, np.uint8),
    )
    text = np.empty(48 * len(answers) + 4 * NAME_ROOM, np.uint8)
    ends = np.empty(len(answers), np.int64)
    done = 0
    while True:
        done = _write(messages, answers, done, text, ends, words)
        if done == len(answers):
            break
        needed = 3 * NAME_ROOM + 10 * int(answers["length"][done])
        text = np.concatenate([text, np.empty(len(text) + needed, np.uint8)])
    return with_rare_answers(messages, answers, text[: ends[-1] if done else 0], ends)


@compiled
def _write(
    messages: Messages, answers: Records, done: int, text: Bytes, ends: Counts, words: _Words
) -> int:
    """Write answers until there is no room for another one; returns how many are written.

    Records in dynamic updates are written like others, and of rare ones nothing is written.
    """
    data, bounds = messages.data, words.bounds
    at = ends[done - 1] if done > 0 else 0
    for row in range(done, answers.size):
        answer = answers[row]
        length = answer.length
        # Two names, words and numbers; of character strings, each may be empty, a byte that becomes
        # "TXT 0  ".
        if text.size - at < 3 * NAME_ROOM + 10 * length:
            return row
        position, part = answer.data, answer.part
        start, end = messages.starts[answer.message], messages.ends[answer.message]
        netbios = messages.netbios[answer.message] & TO_NETBIOS != 0
        form = words.forms[answer.form]
        logged = form.logged
        name = -1
        if part == NAME_ALONE:
            name = position
        elif part <= UPDATED and logged != HEXADECIMAL and logged != RULE:
            word = form.word
            if logged != TEXTS:
                at = write_bytes(words.text, bounds[word], bounds[word + 1], text, at)
            number = answer.type if word == UNKNOWN_WORD else -1
            said = form.said
            index = position + form.first
            while number >= 0 or said > 0:
                if number < 0:
                    number = int(np.int64(data[index]))
                    if form.size == 2:
                        number = (number << 8) | int(np.int64(data[index + 1]))
                    index += form.size
                    said -= 1
                at = write_number(text, at, number)
                number = -1
                if said > 0 or logged == NAME:
                    text[at] = _SPACE
                    at += 1
            if word == UNKNOWN_WORD:
                text[at] = _GREATER
                at += 1

            left = end - position
            limit = position + length
            if logged == NAME:
                name = position + min(form.numbers, left // form.unit) * form.unit
            elif logged == IPV4:
                for index in range(position, limit):
                    if index > position:
                        text[at] = _POINT
                        at += 1
                    at = write_number(text, at, int(np.int64(data[index])))
            elif logged == IPV6:
                # Numbers of four bytes that do not fit into the message are zero.
                there = min(_ADDRESS, left // 4 * 4)
                for index in range(words.address.size):
                    words.address[index] = data[position + index] if index < there else 0
                at = write_ipv6(words.address, text, at)
            elif logged == TEXTS:
                before = at
                while position < limit:
                    size = int(np.int64(data[position]))
                    position += 1
                    if size > limit - position:
                        break
                    if at > before:
                        text[at] = _SPACE
                        at += 1
                    at = write_bytes(words.text, bounds[word], bounds[word + 1], text, at)
                    at = write_number(text, at, size)
                    text[at] = _SPACE
                    at = write_bytes(data, position, position + size, text, at + 1)
                    position += size
            if form.owner == 1:
                # It stands between the word and the name. (Of a constant in a call, numba makes a
                # type of its own, and compiles what is called once more.)
                owner = answer.owner
                keep = name < 0
                at = write_name(data, start, owner, end, netbios, keep, text, at, words.levels)
                text[at] = _SPACE
                at += 1
        if name >= 0:
            before = at
            keep = name < 0
            at = write_name(data, start, name, end, netbios, keep, text, at, words.levels)
            if at == before and part <= UPDATED and form.word == RRSIG_WORD:
                word = form.word + 1
                at = write_bytes(words.text, bounds[word], bounds[word + 1], text, at)
        ends[row] = at
    return answers.size
