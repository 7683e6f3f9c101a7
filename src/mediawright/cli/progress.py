"""The live view: one row for each generation, whose last state stays on the screen."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mediawright.cli.output import console, is_watched

if TYPE_CHECKING:
    from collections.abc import Generator

    from rich.progress import Progress, TaskID

    from mediawright.cli.options import CommonOptions

_STAGE = 20
"""Characters of a stage that are shown."""
_TITLE = 24
"""Characters to which titles are filled up, so that the bars of several rows line up."""
_BESIDES = 18
"""Characters of mark, per cent, time and the gaps between columns."""
_WIDEST_BAR = 40
_NARROWEST_BAR = 5


@dataclass(kw_only=True)
class Row:
    """One row of the view; it may be told things from any thread."""

    progress: Progress | None
    task: TaskID | None

    def show(self, done: float | None, stage: str | None) -> None:
        """Show the part that is done (0 to 1, `None` while unknown) and the stage."""
        if self.progress is None or self.task is None:
            return
        shown = _cut(stage or "", _STAGE)
        if done is None:
            self.progress.update(self.task, stage=shown)
        else:
            self.progress.update(
                self.task, total=1.0, completed=done, stage=shown, part=f"{done:.0%}"
            )

    def end(self, word: str, *, well: bool = False) -> None:
        """Say how it ended."""
        if self.progress is None or self.task is None:
            return
        mark = "[green]✓[/]" if well else "[yellow]·[/]"
        self.progress.update(self.task, stage=word, mark=mark, total=1.0)
        if well:
            self.progress.update(self.task, completed=1.0, part="100%")
        self.progress.stop_task(self.task)


class LiveView:
    """Rows of progress on stderr; nothing at all where nobody watches."""

    def __init__(self, progress: Progress | None) -> None:
        """Draw with `progress`."""
        self._progress = progress

    @property
    def is_drawn(self) -> bool:
        """Whether anything is shown."""
        return self._progress is not None

    def row(self, title: str) -> Row:
        """Begin a row."""
        if self._progress is None:
            return Row(progress=None, task=None)
        task = self._progress.add_task(
            f"{title:<{_TITLE}}", total=None, stage="starting", part="", mark="[cyan]▸[/]"
        )
        return Row(progress=self._progress, task=task)


@contextmanager
def live_view(common: CommonOptions) -> Generator[LiveView]:
    """Yield the view, which stays as it was last."""
    if not is_watched(common):
        yield LiveView(None)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    terminal = console(common, err=True)
    spare = terminal.width - _TITLE - _STAGE - _BESIDES
    with Progress(
        TextColumn("{task.fields[mark]}"),
        TextColumn("{task.description}", markup=False),
        TextColumn(f"{{task.fields[stage]:<{_STAGE}}}", markup=False),
        BarColumn(bar_width=max(_NARROWEST_BAR, min(_WIDEST_BAR, spare))),
        TextColumn("{task.fields[part]:>4}", markup=False),
        TimeElapsedColumn(),
        console=terminal,
    ) as progress:
        yield LiveView(progress)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
