"""Lets `python -m mediawright.cli` do what `mediawright` does."""

from mediawright.cli.main import main

if __name__ == "__main__":
    main()
