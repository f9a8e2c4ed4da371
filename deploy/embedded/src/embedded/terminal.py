"""Where the program writes: to a terminal, or into a file that someone reads later."""

import os

from rich.console import Console

WIDTH_OF_FILES = 120
"""Tables in a file are not folded for a terminal that nobody sees; COLUMNS says otherwise."""


def _console() -> Console:
    found = Console()
    return found if found.is_terminal or "COLUMNS" in os.environ else Console(width=WIDTH_OF_FILES)


console = _console()
