"""What Zeek calls the numbers in DNS messages.

Source of every table: Zeek ``base/protocols/dns/consts.zeek``, which follows IANA's "Domain Name
System (DNS) Parameters" and, for NetBIOS, RFC 1002 section 4.2.1.1. Numbers without a name get one
made of the number, as there.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

QUERY_TYPES = {
    1: "A",
    2: "NS",
    3: "MD",
    4: "MF",
    5: "CNAME",
    6: "SOA",
    7: "MB",
    8: "MG",
    9: "MR",
    10: "NULL",
    11: "WKS",
    12: "PTR",
    13: "HINFO",
    14: "MINFO",
    15: "MX",
    16: "TXT",
    17: "RP",
    18: "AFSDB",
    19: "X25",
    20: "ISDN",
    21: "RT",
    22: "NSAP",
    23: "NSAP-PTR",
    24: "SIG",
    25: "KEY",
    26: "PX",
    27: "GPOS",
    28: "AAAA",
    29: "LOC",
    30: "NXT",
    31: "EID",
    32: "NIMLOC",
    33: "SRV",
    34: "ATMA",
    35: "NAPTR",
    36: "KX",
    37: "CERT",
    38: "A6",
    39: "DNAME",
    40: "SINK",
    41: "OPT",
    42: "APL",
    43: "DS",
    44: "SSHFP",
    45: "IPSECKEY",
    46: "RRSIG",
    47: "NSEC",
    48: "DNSKEY",
    49: "DHCID",
    50: "NSEC3",
    51: "NSEC3PARAM",
    52: "TLSA",
    53: "SMIMEA",
    55: "HIP",
    56: "NINFO",
    57: "RKEY",
    58: "TALINK",
    59: "CDS",
    60: "CDNSKEY",
    61: "OPENPGPKEY",
    62: "CSYNC",
    63: "ZONEMD",
    64: "SVCB",
    65: "HTTPS",
    99: "SPF",
    100: "UINFO",
    101: "UID",
    102: "GID",
    103: "UNSPEC",
    104: "NID",
    105: "L32",
    106: "L64",
    107: "LP",
    108: "EUI48",
    109: "EUI64",
    249: "TKEY",
    250: "TSIG",
    251: "IXFR",
    252: "AXFR",
    253: "MAILB",
    254: "MAILA",
    255: "*",
    256: "URI",
    257: "CAA",
    32768: "TA",
    32769: "DLV",
    65281: "WINS",
    65282: "WINS-R",
    65422: "XPF",
    65521: "INTEGRITY",
}
NETBIOS_STATUS_TYPE = 33
NETBIOS_STATUS = "NBSTAT"
"""What a query for SRV is when a NetBIOS name service is asked (RFC 1002 section 4.2.1.3)."""

CLASSES = {
    1: "C_INTERNET",
    2: "C_CSNET",
    3: "C_CHAOS",
    4: "C_HESIOD",
    254: "C_NONE",
    255: "C_ANY",
}

RESPONSE_CODES = {
    0: "NOERROR",
    1: "FORMERR",
    2: "SERVFAIL",
    3: "NXDOMAIN",
    4: "NOTIMP",
    5: "REFUSED",
    6: "YXDOMAIN",
    7: "YXRRSET",
    8: "NXRRSet",
    9: "NOTAUTH",
    10: "NOTZONE",
    11: "unassigned-11",
    12: "unassigned-12",
    13: "unassigned-13",
    14: "unassigned-14",
    15: "unassigned-15",
}
"""The 4 bits of the header; Zeek's table goes on with what only EDNS and TSIG can say."""

OPCODES = {
    0: "query",
    1: "iquery",
    2: "server-status",
    4: "notify",
    5: "dynamic-update",
    6: "dso",
}

NETBIOS_OPCODES = {
    0: "netbios-query",
    5: "netbios-registration",
    6: "netbios-release",
    7: "netbios-wack",
    8: "netbios-refresh",
}

_CODES = 1 << 16


@cache
def _query_types() -> pa.StringArray:
    names = pa.array([QUERY_TYPES.get(code, f"query-{code}") for code in range(_CODES)])
    return pa.concat_arrays([names, pa.array([NETBIOS_STATUS])])


@cache
def _classes() -> pa.StringArray:
    return pa.array([CLASSES.get(code, f"qclass-{code}") for code in range(_CODES)])


@cache
def _opcodes() -> pa.StringArray:
    codes = range(16)
    plain = [OPCODES.get(code, f"opcode-{code}") for code in codes]
    netbios = [NETBIOS_OPCODES.get(code, f"netbios-opcode-{code}") for code in codes]
    return pa.array(plain + netbios)


@cache
def _response_codes() -> pa.StringArray:
    return pa.array([RESPONSE_CODES[code] for code in range(16)])


def query_type_names(
    types: npt.NDArray[np.int64], unset: npt.NDArray[np.bool_], netbios: npt.NDArray[np.bool_]
) -> pa.StringArray:
    """Names of query types, 0 to 65535.

    Args:
        types: the numbers.
        unset: where there is none, the result is null.
        netbios: where a NetBIOS name service was asked.
    """
    status = netbios & (types == NETBIOS_STATUS_TYPE)
    return _query_types().take(pa.array(np.where(status, _CODES, types), mask=unset))


def class_names(classes: npt.NDArray[np.int64], unset: npt.NDArray[np.bool_]) -> pa.StringArray:
    """Names of classes, 0 to 65535; null where unset."""
    return _classes().take(pa.array(classes, mask=unset))


def response_code_names(
    codes: npt.NDArray[np.int64], unset: npt.NDArray[np.bool_]
) -> pa.StringArray:
    """Names of response codes, 0 to 15; null where unset."""
    return _response_codes().take(pa.array(codes, mask=unset))


def opcode_names(opcodes: npt.NDArray[np.int64], netbios: npt.NDArray[np.bool_]) -> pa.StringArray:
    """Names of operation codes, 0 to 15, which NetBIOS has its own of."""
    return _opcodes().take(pa.array(np.where(netbios, opcodes + 16, opcodes)))
