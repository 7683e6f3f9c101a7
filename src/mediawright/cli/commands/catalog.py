"""catalog lint."""

from __future__ import annotations

from pathlib import Path

import click

from mediawright.cli.options import CommonOptions, common_options


@click.group()
@common_options
def catalog(common: CommonOptions) -> None:
    """Check the data that says what models take and cost."""
    del common


@catalog.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@common_options
def lint(common: CommonOptions, files: tuple[Path, ...]) -> int:
    """Check the rows that ship, and with them those of FILES: TOML, or folders of it.

    Without FILES the rows of the setting media.catalogue are taken, where there are any.
    Everything wrong is told with its place and what to do. Ends with 1 when there is an error;
    providers without an adapter are listed, and are none.
    """
    import msgspec

    from mediawright.app.linting import lint_catalogue
    from mediawright.catalog.lint import Severity
    from mediawright.cli.output import print_json, printable, say
    from mediawright.cli.session import settings_for

    configured = settings_for(common).media.catalogue
    report = lint_catalogue(files or ([] if configured is None else [configured]))
    errors = [finding for finding in report.findings if finding.severity is Severity.ERROR]
    if common.json:
        print_json({"clean": report.is_clean, **msgspec.structs.asdict(report)})
        return 0 if report.is_clean else 1
    for finding in report.findings:
        line = f"{finding.severity.value}: {finding.place}: {finding.message}"
        click.echo(printable(line))
        if finding.severity is Severity.ERROR:
            click.echo(f"  {printable(finding.hint)}")
    say(
        f"{report.models} models, {report.families} families, "
        f"{report.requests} requests tried; errors: {len(errors)}"
    )
    return 0 if report.is_clean else 1
