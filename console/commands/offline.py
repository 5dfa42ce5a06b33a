"""The commands `check`, `hash` and `demo-files`, which use neither AWS nor TikTok."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer
from rich.console import Console

from console import demo_files as samples
from console.commands import options
from console.commands.prompts import choose_column, confirm_columns, is_interactive
from console.errors import ConsoleError, Exit
from console.function import DEFAULT_MAX_REJECTED_RATIO, Verdict, evaluate_file
from console.hashing.plans import HashOptions, reject_ambiguous_columns
from console.hashing.sources import open_chunks
from console.hashing.to_file import HashResult, hash_file
from console.hashing.values import FAULT_SENTENCES, ValueFault
from console.output import err, number, out, print_json, print_table, print_text, progress_bar, status_text
from console.results import hashed_json, verdict_json
from handler.model import Action

MAX_SHOWN_LINES = 20


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(check)
    app.command(name="hash")(hash_)
    app.command(name="demo-files")(demo_files)


def check(
    file: Annotated[str, typer.Argument(help="The file, compressed or not, or - for standard input.")],
    identifier_type: options.FileType,
    *,
    action: Annotated[
        Action,
        typer.Option(help="The action of the upload. With replace, an empty file or a cut-off last row is an error."),
    ] = Action.APPEND,
    max_rejected_ratio: options.MaxRejectedRatio = DEFAULT_MAX_REJECTED_RATIO,
    as_json: options.Json = False,
) -> None:
    """Check a file of hashes with the connector's own code, and show what its report would say.

    Nothing is uploaded. The exit code is 3 if the connector would not accept
    the file.
    """
    with open_chunks(file) as chunks:
        verdict = evaluate_file(chunks, identifier_type.value, action.value, max_rejected_ratio)
    if as_json:
        print_json({"file": file, "identifier_type": identifier_type.value, **verdict_json(verdict)})
    else:
        show_verdict(file, verdict)
        if looks_raw(verdict):
            command = f"tiktok-activation hash {quote(file)} --type {identifier_type.value} -o hashed.csv"
            print_text(f"\nIf the file holds raw data, hash it first: {command}")
    if verdict.code:
        raise typer.Exit(int(Exit.NOT_ACCEPTED))


def hash_(
    file: Annotated[str, typer.Argument(help="The file with raw data, compressed or not, or - for standard input.")],
    *,
    identifier_type: options.FileType,
    output: Annotated[str, typer.Option("--output", "-o", help="The file to write, or - for standard output.")],
    column: options.Columns = None,
    country: options.Country = None,
    without_plus: options.WithoutPlus = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Normalize and hash one column of a CSV file, or several with multiple_types, on this machine.

    The command detects the delimiter, the encoding and the header, and finds
    the column by its name and content. Email addresses are trimmed and
    lower-cased, phone numbers are converted to E.164, and device ids are
    lower-cased. Values that are already hashes are not hashed again. Values
    that cannot be hashed are counted, and the lines of the first ones are
    listed, but no value is ever shown. With --output -, the summary is printed
    to standard error as text, even with --json.
    """
    ask = is_interactive(file) and not yes and not as_json
    hash_options = HashOptions(identifier_type.value, tuple(column or ()), country, not without_plus)
    size = Path(file).stat().st_size if Path(file).is_file() else None
    with progress_bar("Hashing", size, shown=not as_json) as advance:
        result = hash_file(
            file,
            output,
            hash_options,
            choose=choose_column if ask else reject_ambiguous_columns,
            confirm=confirm_columns if ask and not column else None,
            on_read=advance,
        )
    if as_json and output != "-":
        print_json(hashed_json(file, output, result))
    else:
        show_hashed(file, output, result)
    if not result.counts.written:
        raise typer.Exit(int(Exit.NOT_ACCEPTED))


def demo_files(
    directory: Annotated[Path, typer.Argument(help="The folder to write to; it is created if it does not exist.")],
    as_json: options.Json = False,
) -> None:
    """Write sample files for testing a deployment: made-up people, raw and hashed, valid and invalid."""
    try:
        written = samples.write(directory)
    except OSError as error:
        raise ConsoleError(
            f"The sample files cannot be written to {directory} ({error.strerror}). Choose another folder."
        ) from None
    if as_json:
        print_json(
            {"files": [{"path": str(path), "what": what, "command": command} for path, what, command in written]}
        )
        return
    print_table(["file", "content"], [[path.name, what] for path, what, _ in written])
    print_text("\nCommands to try:", "bold")
    for _, _, command in written:
        print_text(f"  {command}")


def show_verdict(file: str, verdict: Verdict) -> None:
    """Print the result of a check."""
    print_table(
        ["file", "status", "rows", "accepted", "rejected", "parts"],
        [
            [
                file,
                status_text(verdict.status),
                number(verdict.total),
                number(verdict.accepted),
                number(verdict.rejected),
                number(verdict.parts),
            ]
        ],
        numbers=(2, 3, 4, 5),
    )
    if verdict.reason:
        print_text(f"\n{verdict.reason}")
    _show_lines([(line, why, where or "") for line, why, where in verdict.rejections])
    if not verdict.code:
        print_text("\nThe connector would accept this file.", "green")


def looks_raw(verdict: Verdict) -> bool:
    """Return whether a file would be rejected and has rows that may be raw data."""
    return bool(verdict.code) and bool({"not_hashed", "more_than_one_column"} & set(verdict.rejected_by_reason))


def show_hashed(file: str, output: str | None, result: HashResult) -> None:
    """Print the result of hashing, to standard error if the rows go to standard output."""
    counts = result.counts
    columns = " and ".join(f"{each.name} ({each.kind})" for each in result.columns)
    to = err if output == "-" else out
    print_text(f"{file}: {result.encoding}. Hashed columns: {columns}.", to=to)
    written = f" written to {'standard output' if output == '-' else output}" if output and counts.written else ""
    print_text(
        f"{counts.rows:,} rows: {counts.written:,} hashed{written}, {counts.empty:,} without a value, "
        f"{counts.unhashable:,} cannot be hashed.",
        to=to,
    )
    if counts.already_hashed:
        print_text(f"{counts.already_hashed:,} values were already hashes and were not hashed again.", to=to)
    for reason, count in counts.faults.most_common():
        print_text(f"{count:,} x {reason}: {FAULT_SENTENCES[ValueFault(reason)]}", "yellow", to=to)
    _show_lines([(line, why, where) for line, where, why in counts.listed_faults], to)
    if not counts.written:
        unwritten = "" if output in {None, "-"} else f", so {output} was not written"
        print_text(f"No row could be hashed{unwritten}.", "red", to=to)


def _show_lines(lines: list[tuple[int, str, str]], to: Console = out) -> None:
    if not lines:
        return
    print_text("\nLines with errors (their content is not shown):", "bold", to=to)
    print_table(
        ["line", "reason", "column"],
        [[str(line), why, where] for line, why, where in lines[:MAX_SHOWN_LINES]],
        numbers=(0,),
        to=to,
    )
    if len(lines) > MAX_SHOWN_LINES:
        print_text(f"There are more lines. Use --json to list {len(lines)} of them.", to=to)
