"""What a file is, told by its bytes and by nothing else."""

from __future__ import annotations

from pathlib import Path

from mediawright.assets.faults import corrupt, empty, unsupported
from mediawright.assets.formats import SNIFFED_BYTES, Format, sniff
from mediawright.assets.image_probe import MOST_PIXELS, Content, opened, probe_image
from mediawright.core.media import MediaFacts
from mediawright.core.operations import MediaKind


def probe(path: Path) -> MediaFacts:
    """Return the facts of a media file. Blocks.

    Names and declared types are never looked at. Of a picture every part is checked; of sound
    and video the container, its timing and the first frame.

    Args:
        path: The file.

    Raises:
        InvalidRequestError: `empty_file`; `unsupported_format` for anything that is no media
            file of a known format, whatever it is called; `corrupt_file` for one that is
            damaged or cut short; `image_too_large` and `media_too_long` for what would take
            too much memory or time to open.
        FileNotFoundError: There is no such file.
    """
    return probe_with_format(path)[0]


def probe_with_format(
    source: Content, *, most_pixels: int = MOST_PIXELS
) -> tuple[MediaFacts, Format]:
    """Like `probe`; returns the format too, whose extension the file should have.

    Args:
        source: The file; only a picture may be in memory.
        most_pixels: The most a picture may have; of one that has more than is safe to open,
            only the header is looked at.
    """
    found = sniff_content(source)
    if found.kind is MediaKind.IMAGE:
        return probe_image(source, found, most_pixels), found
    if isinstance(source, bytes):
        raise TypeError("only a picture may be in memory")
    # Here, because PyAV takes much memory, and whoever handles only pictures needs none of it.
    from mediawright.assets.media_probe import probe_sound_or_video  # noqa: PLC0415

    return probe_sound_or_video(source, found)


def sniff_content(source: Content) -> Format:
    """Return the format a file's first bytes announce. Blocks.

    Raises:
        InvalidRequestError: `empty_file`, `unsupported_format` or `corrupt_file`.
        FileNotFoundError: There is no such file.
    """
    with opened(source) as file:
        head = file.read(SNIFFED_BYTES)
    if not head:
        raise empty()
    found = sniff(head)
    if found is not None:
        return found
    if not any(head):
        # What is left of a file after some crashes: the right length, and nothing in it.
        raise corrupt("it holds nothing but zeros")
    raise unsupported(head)
