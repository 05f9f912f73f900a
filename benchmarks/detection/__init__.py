"""How well the detectors find, on traffic that was not used to build them."""
