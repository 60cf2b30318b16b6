"""The entry point of the ``gradwire`` command; the commands themselves are in :mod:`gradwire_server.commands`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line, or says how to install what it needs."""
    try:
        # Here and not above: on the plain install the command must end in a sentence, not in a traceback.
        from .commands import app
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("gradwire"):
            raise
        sys.exit(f'The gradwire command needs {error.name}, which is part of the server extra: pip install "gradwire[server]"')
    app()


if __name__ == "__main__":
    main()
