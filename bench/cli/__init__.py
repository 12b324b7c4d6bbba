"""The command line. Commands import what they need, so that `list` answers at once."""

import sys
from typing import Annotated

import typer

from bench import __version__
from bench.cli import compare, doctor, parity, publish, report, run, verify
from bench.cli.list import list_
from bench.cli.options import EXIT_INTERRUPTED
from bench.errors import SamestepError

app = typer.Typer(
    help="One workload, two frameworks, the same step: proved first, timed second.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("list")(list_)
app.command()(doctor.doctor)
app.command()(run.run)
app.command()(parity.parity)
app.command()(report.report)
app.command()(compare.compare)
app.command()(verify.verify)
app.command()(publish.publish)


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
