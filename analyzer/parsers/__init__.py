"""Anything in, records out: what each input is, is found from its content."""
