"""The command line ``capture``: one module per noun, imported only when it is asked for.

A noun's module has ``parser() -> ArgumentParser`` and ``run(options) -> int``; data goes to stdout, talk to stderr.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from console.cli.exits import ENDINGS, ExitCode, ending_of

COMMANDS = {
    "demo": "capture a generated repository here and prove every row",
    "up": "run everything on this machine: servers, workers, scheduler",
    "repo": "capture a repository",
    "status": "jobs, workers and leader; or one repository",
    "jobs": "list jobs, or show one with its history",
    "worker": "run worker processes, replaced when they die",
    "db": "bring the database's schema up to date, or check it",
    "config": "every setting, its value and where it came from",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code. Errors of ours become one sentence on stderr."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(arguments)
    except SystemExit as exit_:  # argparse: --help, or a usage error that it has explained
        return exit_.code if isinstance(exit_.code, int) else ExitCode.REFUSED
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        sys.stdout = None  # whoever read us has gone; nothing more can be said there
        return ExitCode.OK
    except Exception as error:
        ending = ending_of(error)
        if ending is None:
            raise
        print(ending.sentence, file=sys.stderr)
        return ending.code


def _run(arguments: list[str]) -> int:
    command = arguments[0] if arguments else "--help"
    if command in ("-h", "--help", "help"):
        print(_overview())
        return ExitCode.OK
    if command == "--version":
        print(f"capture {importlib.import_module('capture').__version__}")
        return ExitCode.OK
    if command not in COMMANDS:
        print(f"capture: there is no command {command!r}; there are {', '.join(COMMANDS)}.", file=sys.stderr)
        return ExitCode.REFUSED
    noun = importlib.import_module(f"console.cli.{command}")
    code: int = noun.run(noun.parser().parse_args(arguments[1:]))
    sys.stdout.flush()
    return code


def _overview() -> str:
    commands = "\n".join(f"  {name:<8} {meaning}" for name, meaning in COMMANDS.items())
    endings = "\n".join(f"  {code:<8d} {meaning}" for code, meaning in ENDINGS.items())
    return (
        "Usage: capture COMMAND …\n\nKeeps the history of GitHub repositories in PostgreSQL.\n\n"
        f"Commands (capture COMMAND --help tells more):\n{commands}\n\nExit codes:\n{endings}\n\n"
        "Example: capture demo"
    )


__all__ = ["main"]
