"""assets list, assets get, assets put."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mediawright.cli.options import CommonOptions, common_options


@click.group()
@common_options
def assets(common: CommonOptions) -> None:
    """See, fetch and add files."""
    del common


@assets.command("list")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--before", metavar="ASSET", help="Only older ones than this.")
@click.option("--kind", type=click.Choice(["image", "video", "audio", "text"]))
@common_options
def list_(common: CommonOptions, limit: int, before: str | None, kind: str | None) -> int:
    """List files, newest first."""
    from mediawright.cli.session import run

    return run(_list(common, limit, before, kind))


@assets.command()
@click.argument("asset")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Copy it to this folder or file."
)
@click.option(
    "--variant",
    type=click.Choice(["content", "thumbnail", "optimized"]),
    default="content",
    show_default=True,
)
@common_options
def get(common: CommonOptions, asset: str, output: Path | None, variant: str) -> int:
    """Print where ASSET lies, or copy it with -o."""
    from mediawright.cli.session import run

    return run(_get(common, asset, output, variant))


@assets.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@common_options
def put(common: CommonOptions, files: tuple[Path, ...]) -> int:
    """Keep FILES as assets and print their ids, to be used as inputs: all of them, or none."""
    from mediawright.cli.session import run

    return run(_put(common, files))


async def _put(common: CommonOptions, files: tuple[Path, ...]) -> int:
    from mediawright.app.uploads import read_files, upload
    from mediawright.app.views import asset_view, local_urls
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.output import facts_of, print_json, say
    from mediawright.cli.session import looking

    async with looking(common) as runtime:
        uploaded = await upload(runtime, DEFAULT_WORKSPACE, read_files(files))
        urls = local_urls(runtime)
    if common.json:
        print_json([{**asset_view(one.asset, urls), "name": one.name} for one in uploaded])
        return 0
    for one in uploaded:
        say(f"{one.name}: {', '.join(facts_of(one.asset))}")
        click.echo(one.asset.id)
    return 0


async def _list(common: CommonOptions, limit: int, before: str | None, kind: str | None) -> int:
    from mediawright.app.library import list_assets
    from mediawright.app.views import asset_view, local_urls
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.output import facts_of, print_json, say
    from mediawright.cli.session import looking
    from mediawright.cli.tables import Column, print_table
    from mediawright.core.operations import MediaKind

    async with looking(common) as runtime:
        found = await list_assets(
            runtime,
            DEFAULT_WORKSPACE,
            limit=limit,
            before=before,
            kind=None if kind is None else MediaKind(kind),
        )
        urls = local_urls(runtime)
    if common.json:
        print_json([asset_view(asset, urls) for asset in found])
        return 0
    if not found:
        say("There are no files yet.")
    rows = [
        [
            asset.id,
            ", ".join(facts_of(asset)),
            f"{asset.facts.byte_count:,}",
            asset.key.rpartition("/")[2] if sys.stdout.isatty() else urls(asset, "content") or "",
        ]
        for asset in found
    ]
    columns = (
        Column(name="asset"),
        Column(name="facts", wraps=True),
        Column(name="bytes", right=True),
        Column(name="file", rank=1),
    )
    print_table(common, columns, rows)
    return 0


async def _get(common: CommonOptions, asset_id: str, output: Path | None, variant: str) -> int:
    import asyncio

    from mediawright.app.library import copy_variant, find_asset
    from mediawright.app.views import asset_view, local_urls
    from mediawright.app.workspaces import DEFAULT_WORKSPACE
    from mediawright.cli.files import copy_to
    from mediawright.cli.output import print_json
    from mediawright.cli.session import looking

    async with looking(common) as runtime:
        asset = await find_asset(runtime, DEFAULT_WORKSPACE, asset_id)
        path = await copy_variant(runtime, asset, variant)
        view = asset_view(asset, local_urls(runtime))
    if output is not None:
        text = asset.text if variant == "content" else None
        path = await asyncio.to_thread(copy_to, path, output, text=text)
    if common.json:
        print_json({**view, "path": str(path)})
    else:
        click.echo(str(path))
    return 0
