"""What a baseline holds: its tables, every column with its type and meaning, in one place.

A baseline is a handful of tables whose rows are a day's summary of one thing, so that days can be
added, joined and dropped. Days are whole days since 1970-01-01, UTC. Sources are local hosts.

Values of days and hours that are over are kept on a logarithmic grid
(:func:`analyzer.baseline.bins.coarse`), which makes a column of them a byte or less a row; no
judgement depends on a fifth more or less. Of some tables, past days are kept together
(:mod:`analyzer.baseline.folding`).
"""

from __future__ import annotations

from analyzer.baseline.layout import Field, Layout

VERSION = 2
"""Of the schema and of how it is laid out in a file; a file of another one is not read."""

_LAST_DAY = 2**21
"""No record is of so late a day (:data:`analyzer.parsers.validation.TIME_LIMIT`)."""

_DAY = Field("day", "int32", "days since 1970, UTC", greatest=_LAST_DAY)
_HOUR = Field("hour", "uint8", "hour of the day, UTC", greatest=23)
_SLOT = Field("slot", "int16", "five minutes of the day, from 0", greatest=287)
_SOURCE = Field("source", "string", "local host")
_PROTO = Field("proto", "string", "transport protocol")
_PORT = Field("port", "uint16", "responder's port; 0 for ICMP and for all the rest together")


def _sum(name: str, meaning: str) -> Field:
    return Field(name, "float64", meaning, "sum", coarse=True)


LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        Layout(
            "days",
            "a day that was learned",
            (
                _DAY,
                Field("connections", "float64", "connections learned", "sum"),
                Field("questions", "float64", "DNS transactions learned", "sum"),
                Field(
                    "left_out", "float64", "records not learned, as findings are about them", "sum"
                ),
                Field("first", "float64", "time of the earliest record", "first"),
                Field("last", "float64", "time of the latest", "last"),
            ),
        ),
        Layout(
            "network",
            "five minutes of all local hosts together, both as originators and as responders",
            (
                _DAY,
                _SLOT,
                _sum("connections", "connections"),
                _sum("failed", "connections without an answer"),
                _sum("bytes_out", "payload bytes of the originators"),
                _sum("bytes_in", "payload bytes of the responders"),
                _sum("queries", "DNS transactions"),
            ),
        ),
        Layout(
            "hours",
            "an hour of a source; hours without a record have no row",
            (
                _SOURCE,
                _DAY,
                _HOUR,
                _sum("connections", "connections it began"),
                _sum("failed", "of them without an answer"),
                _sum("bytes_out", "payload bytes it sent in them"),
                _sum("bytes_in", "payload bytes that came back"),
                _sum("destinations", "hosts it met"),
                _sum("outside", "of them not local"),
                Field("busiest", "float64", "most connections in one minute", "most", coarse=True),
                _sum("queries", "DNS transactions"),
            ),
        ),
        Layout(
            "shapes",
            "a bin of a histogram over a source's connections of a day",
            (
                _SOURCE,
                Field("metric", "string", "what of: bytes_out, bytes_in, duration, packets_out"),
                _DAY,
                Field("bin", "uint8", "see :mod:`analyzer.baseline.bins`"),
                Field("connections", "float64", "connections", "sum"),
            ),
            folded=True,
        ),
        Layout(
            "service_shapes",
            "a bin of a histogram over all sources' connections to one port on a day",
            (
                _PROTO,
                _PORT,
                Field("metric", "string", "what of: bytes_out, bytes_in, duration, packets_out"),
                _DAY,
                Field("bin", "uint8", "see :mod:`analyzer.baseline.bins`"),
                Field("connections", "float64", "connections", "sum"),
            ),
            folded=True,
        ),
        Layout(
            "ports",
            "a source's connections to one port on a day",
            (
                _SOURCE,
                _PROTO,
                _PORT,
                Field("application", "string", "what Zeek says they spoke; empty if nothing"),
                Field("outside", "bool", "to hosts that are not local"),
                _DAY,
                _sum("connections", "connections"),
                _sum("bytes_out", "payload bytes it sent in them"),
            ),
        ),
        Layout(
            "port_hours",
            "when on a day a source met one port of local hosts that answered",
            (
                _SOURCE,
                _PROTO,
                _PORT,
                _DAY,
                Field(
                    "hours",
                    "int16",
                    "a bit for every two hours, UTC, the lowest for 00:00 to 02:00",
                    "either",
                    greatest=2**12 - 1,
                ),
            ),
        ),
        Layout(
            "peers",
            "a host that a source met",
            (
                _SOURCE,
                Field("peer", "string", "the other host"),
                Field("outside", "bool", "it is not local"),
                Field("first_day", "int32", "first day", "first", greatest=_LAST_DAY),
                Field("last_day", "int32", "last day", "last", greatest=_LAST_DAY),
            ),
            day="last_day",
        ),
        Layout(
            "offered",
            "a port that a local host answers on",
            (
                _SOURCE,
                _PROTO,
                _PORT,
                Field("first_day", "int32", "first day", "first", greatest=_LAST_DAY),
                Field("last_day", "int32", "last day", "last", greatest=_LAST_DAY),
                Field("clients", "float64", "most hosts in one day that it answered", "most"),
            ),
            day="last_day",
        ),
        Layout(
            "lookups",
            "a source's questions of a day",
            (
                _SOURCE,
                _DAY,
                _sum("queries", "DNS transactions"),
                _sum("names", "different names"),
                _sum("domains", "different registered domains"),
                _sum("refused", "names that do not exist (NXDOMAIN)"),
                _sum("letters", "length of all different names added up"),
                Field("longest", "float64", "length of the longest name", "most", coarse=True),
            ),
        ),
        Layout(
            "names",
            "one of the registered domains that a source asked for most on a day",
            (
                _SOURCE,
                Field("domain", "string", "registered domain"),
                _DAY,
                Field("queries", "float64", "DNS transactions", "sum"),
            ),
            folded=True,
        ),
        Layout(
            "domains",
            "a registered domain that somebody asked for",
            (
                Field("domain", "string", "registered domain"),
                Field("first_day", "int32", "first day", "first", greatest=_LAST_DAY),
                Field("last_day", "int32", "last day", "last", greatest=_LAST_DAY),
                Field(
                    "sources", "float64", "most local hosts that asked for it on one day", "most"
                ),
            ),
            day="last_day",
        ),
        Layout(
            "reference",
            "connections that are alike, a sample of a day",
            (
                _DAY,
                _SOURCE,
                _HOUR,
                _PROTO,
                _PORT,
                Field("application", "string", "what Zeek says they spoke; empty if nothing"),
                Field("outside", "bool", "to a host that is not local"),
                Field("answered", "bool", "the responder answered"),
                Field("bytes_out", "uint8", "bin of the originator's payload bytes"),
                Field("bytes_in", "uint8", "bin of the responder's payload bytes"),
                Field("duration", "uint8", "bin of the duration"),
                Field("packets_out", "uint8", "bin of the originator's packets"),
                Field("mark", "int64", "which are in the sample: those with the smallest", "first"),
                Field("peer", "string", "the responder of the first of them", "first"),
                Field("connections", "float64", "how many are alike", "sum"),
            ),
        ),
        Layout(
            "windows",
            "five minutes of a source, a sample of a day",
            (
                _DAY,
                _SOURCE,
                _SLOT,
                _sum("connections", "connections it began"),
                _sum("failed", "of them without an answer"),
                _sum("destinations", "hosts it met"),
                _sum("ports", "responder ports it tried"),
                _sum("bytes_out", "payload bytes it sent"),
                _sum("bytes_in", "payload bytes that came back"),
                Field("mark", "int64", "which are in the sample: those with the smallest", "first"),
            ),
        ),
        Layout(
            "pieces",
            "records of an hour that were learned, or judged not to be, together",
            (
                Field("log", "string", "conn or dns"),
                Field("hour", "int32", "hours since 1970, UTC", greatest=24 * _LAST_DAY),
                Field("mark", "int64", "sum over the records' marks, the same in any order"),
                Field("records", "int64", "how many there were", "most"),
                Field("first", "float64", "time of the earliest of them", "first"),
                Field("last", "float64", "time of the latest", "last"),
            ),
            day="hour",
        ),
        Layout(
            "traces",
            "a record of a piece, of the few that stand for all of them",
            (
                Field("log", "string", "conn or dns"),
                Field("hour", "int32", "hours since 1970, UTC", greatest=24 * _LAST_DAY),
                Field("piece", "int64", "mark of the piece"),
                Field("mark", "int64", "its mark; those with the smallest stand for all"),
            ),
            day="hour",
        ),
        Layout(
            "rates",
            "how often something learned later would have been an alert, beside what was asked for",
            (
                Field("score", "string", "of what: connection or window"),
                _DAY,
                Field("tested", "float64", "how many were scored", "sum"),
                Field("alerts", "float64", "how many passed the threshold", "sum"),
                Field("asked", "float64", "share asked for", "most", greatest=1.0),
            ),
        ),
        Layout(
            "verdicts",
            "what somebody said of a finding",
            (
                Field("said", "float64", "when, UTC epoch seconds"),
                Field("by", "string", "who"),
                Field("finding", "string", "identifier of the finding"),
                Field("benign", "bool", "harmless, or an attack"),
                Field("rule", "string", "rule of the finding"),
                _SOURCE,
                Field("destination", "string", "the other side; empty if none"),
                Field("proto", "string", "transport protocol; empty if none"),
                Field("port", "int32", "responder's port; -1 if none", least=-1, greatest=65535),
                Field("subject", "string", "what else it was about; empty if nothing"),
                Field("score", "float64", "its score then", greatest=1.0),
            ),
            day="",
        ),
    )
}
"""Every table by name."""
