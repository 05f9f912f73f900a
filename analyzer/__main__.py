"""``python -m analyzer`` is ``zeek-analyzer``."""

from analyzer.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
