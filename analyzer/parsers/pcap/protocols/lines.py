"""Text protocols read lines: those of one direction, as they become complete."""

from __future__ import annotations

from collections.abc import Iterator

_LONGEST = 4096


class Lines:
    """Lines out of pieces of text.

    A line ends with a line feed, which may follow a carriage return. A line that grows beyond what
    any command or reply of ours has is handed out in its length so far.
    """

    __slots__ = ("_position", "_text")

    def __init__(self) -> None:
        self._text = b""
        self._position = 0

    def add(self, data: bytes) -> Iterator[bytes]:
        """Lines that are complete with these bytes, without their ends.

        Whoever stops asking for lines leaves what follows for :meth:`rest`.
        """
        text = self._text = self._text[self._position :] + data
        self._position = position = 0
        while (end := text.find(b"\n", position)) >= 0 or len(text) - position > _LONGEST:
            end = len(text) if end < 0 else end
            line = text[position:end]
            self._position = position = end + 1
            yield line.removesuffix(b"\r")

    def peek(self) -> bytes:
        """What has come of a line that is not complete."""
        return self._text[self._position :]

    def rest(self) -> bytes:
        """What has come behind the last line that was handed out; it is forgotten here."""
        rest = self.peek()
        self._text, self._position = b"", 0
        return rest
