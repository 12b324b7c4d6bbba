"""The command line. Commands import what they need, so that `list` answers at once."""

import sys
from typing import Annotated

import typer

from bench import __version__
from bench.cli.certifying import parity
from bench.cli.checking import doctor
from bench.cli.comparing import compare
from bench.cli.listing import list_
from bench.cli.options import EXIT_INTERRUPTED
from bench.cli.publishing import publish
from bench.cli.reporting import report
from bench.cli.running import run
from bench.cli.verifying import verify
from bench.errors import SamestepError

app = typer.Typer(
    help="One workload, two frameworks, the same step: proved first, timed second.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("list")(list_)
app.command()(doctor)
app.command()(run)
app.command()(parity)
app.command()(report)
app.command()(compare)
app.command()(verify)
app.command()(publish)


def main() -> None:
    """Run the command; an error of ours is one line on standard error and its exit code.

    Ctrl-C ends with 130, whenever it comes.
    """
    try:
        app()
    except SamestepError as error:
        from reports.text import printable

        # it may hold a stranger's text
        print(f"samestep: {printable(error)}", file=sys.stderr)
        sys.exit(error.exit_code)
    except SystemExit as ended:
        # typer ends with 1 where Ctrl-C came while nothing of ours looked after it
        if isinstance(ended.__context__, typer.Abort):
            sys.exit(EXIT_INTERRUPTED)
        raise


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if show:
        print(f"samestep {__version__}")
        raise typer.Exit
