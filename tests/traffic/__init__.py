"""A generator of a small office's traffic as Zeek logs it, with attacks whose truth is known.

Everything follows from a seed. Adding an attack adds rows and changes none.
"""

from tests.traffic.frames import Traffic
from tests.traffic.office import ATTACKS, office
from tests.traffic.schedule import MONDAY
from tests.traffic.truth import Attack, Truth

__all__ = ["ATTACKS", "MONDAY", "Attack", "Traffic", "Truth", "office"]
