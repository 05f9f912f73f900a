"""Captures in, records out: what Zeek would have written into conn.log and dns.log.

Packets go one way, in batches: :mod:`container` finds them in files, :mod:`headers` finds the IP
datagrams in them, :mod:`connections` follows the connections these belong to, and :mod:`services`
and :mod:`dns_transactions` look into what they carry.
"""
