"""The entry point. It imports click and nothing else, so that `--help` is quick."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from mediawright._version import __version__
from mediawright.cli.options import CommonOptions, Invocation, common_options

_COMMANDS: dict[str, tuple[str, str]] = {
    "image": ("verbs:image", "Make a picture, or change one."),
    "video": ("verbs:video", "Make a clip, from words or from a picture."),
    "music": ("verbs:music", "Compose a piece of music."),
    "speak": ("verbs:speak", "Speak a text."),
    "transcribe": ("verbs:transcribe", "Write down what is said in a recording."),
    "generate": ("generate:generate", "Run any model with named inputs."),
    "quote": ("quote:quote", "Check and price a request without running it."),
    "estimate": ("estimate:estimate", "Tell how long a request would take."),
    "models": ("models:models", "See what can be asked for, and at which price."),
    "catalog": ("catalog:catalog", "Check the data that says what models take and cost."),
    "providers": ("providers:providers", "See which providers can be used, and how they fare."),
    "generations": ("generations:generations", "See, follow, cancel and resolve generations."),
    "assets": ("assets:assets", "See, fetch and add files."),
    "webhooks": ("webhooks:webhooks", "Have events posted to your own addresses."),
    "trace": ("trace:trace", "See what happened in a generation, and how long it took."),
    "account": ("account:account", "See the balance and what was spent; correct it."),
    "usage": ("usage:usage", "See what was used, charged and spent."),
    "budgets": ("budgets:budgets", "Limit what is spent in a day or a month."),
    "limits": ("limits:limits", "See all limits and what is used of them; set a workspace's."),
    "keys": ("keys:keys", "Make, list, limit and revoke keys of the REST server."),
    "serve": ("serve:serve", "Run the REST server."),
    "worker": ("worker:worker", "Run generations beside a server, on PostgreSQL."),
    "sandbox": ("sandbox:sandbox", "Run the sandbox, which imitates every provider."),
    "doctor": ("doctor:doctor", "See what is set up, and what is missing."),
    "demo": ("demo:demo", "Make one of everything, without any key."),
}
"""Name -> where the command lives, and what its line in the help says."""

_HELP = """Images, video, music, speech and transcripts from many providers, or from none.

Without any key the embedded engines make real files. With --sandbox every provider is imitated,
so that everything can be tried before money is spent.

\b
Try:  mediawright image "a lighthouse at dusk"
      mediawright models list
      mediawright --sandbox video "waves" -m gen4.5

Data goes to stdout and talk to stderr. Exit codes: 0 done, 1 failed or not found, 2 wrong usage
or request, 3 failed at the provider, 4 no or a wrong key, 5 refused (by policy, for want of credit,
price not agreed), 6 still running, 130 interrupted.
"""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order they are listed."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name][0].partition(":")
        return getattr(import_module(f"mediawright.cli.commands.{module}"), attribute)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="mediawright")
@common_options
def cli(common: CommonOptions) -> None:
    """Keep the options that were given before the command's name."""
    del common


def main() -> None:
    """Run the command line; errors of ours end with what to do, not with a traceback."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command line with these arguments and return its exit code."""
    invocation = Invocation(arguments=arguments)
    try:
        result: Any = cli.main(
            arguments, prog_name="mediawright", standalone_mode=False, obj=invocation
        )
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the outermost boundary
        from mediawright.cli.failures import report_failure

        return report_failure(error, invocation)
    return result if isinstance(result, int) else 0
