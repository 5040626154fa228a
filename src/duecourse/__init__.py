"""duecourse: gets companies paid in due course. One package, one staircase; see ARCHITECTURE.md."""

from importlib.metadata import version

__version__ = version("duecourse")
