"""What connections carry: one small reader a protocol, told apart as Zeek tells them apart.

A :class:`~analyzer.parsers.pcap.protocols.session.Session` holds the readers of one connection.
Each says so when it is sure (Zeek: ``AnalyzerConfirmation``) or when the bytes cannot be its own
(``AnalyzerViolation``). None looks further than it must for that.
"""
