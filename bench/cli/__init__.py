"""The command line. Each command imports only what it needs, so that `list` answers at once."""

import sys
from typing import Annotated

import typer

from bench import __version__
from bench.cli import compare, doctor, parity, publish, report, run, show, verify
from bench.cli.list import list_
from bench.cli.options import EXIT_INTERRUPTED, FLAG
from bench.errors import SamestepError

app = typer.Typer(
    help="One workload, several frameworks, the same step: proved first, timed second.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("list")(list_)
app.command()(doctor.doctor)
app.command()(run.run)
app.command()(parity.parity)
app.command()(show.show)
app.command()(report.report)
app.command()(compare.compare)
app.command()(verify.verify)
app.command()(publish.publish)


def main() -> None:
    """Run the command; print a `SamestepError` as one line and exit with its code.

    Ctrl-C exits with 130 at any time.
    """
    try:
        app()
    except SamestepError as error:
        from reports.text import one_line

        # the message may quote a file that someone else wrote
        print(f"samestep: {one_line(error)}", file=sys.stderr)
        sys.exit(error.exit_code)
    except SystemExit as exit_:
        # typer exits with 1 if Ctrl-C came while no command handled it
        if isinstance(exit_.__context__, typer.Abort):
            sys.exit(EXIT_INTERRUPTED)
        raise


@app.callback(invoke_without_command=True)
def version(
    wanted: Annotated[
        bool, typer.Option("--version", help="Print the version.", metavar=FLAG)
    ] = False,
) -> None:
    """Print the version for `--version`, without a command."""
    if wanted:
        print(f"samestep {__version__}")
        raise typer.Exit
