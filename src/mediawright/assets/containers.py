"""Whether a sound or video file is all there, told by the sizes its container declares.

FFmpeg plays what is left of a file that was cut short, and says nothing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from mediawright.assets.formats import Format

_MOST_BOXES = 100_000
_OGG_TAIL_BYTES = 131_072
_OGG_HEADER_BYTES = 27
_XING_WITHIN_BYTES = 256
_XING_HAS_FRAMES, _XING_HAS_BYTES = 1, 2
_SEGMENT_ID = 0x18538067
# What encoders write that do not know the size when they begin.
_UNKNOWN_WAV_SIZES = frozenset({0, 0x7FFFFFFF, 0x7FFFF000})
_LEAST_UNKNOWN_WAV_SIZE = 0xFFFFF000


def is_cut_short(path: Path, found: Format) -> bool:
    """Tell whether the file ends before its container says it does. Blocks.

    Formats whose containers do not say are taken to be whole.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if found.demuxer == "mov":
            return _boxes_are_cut(file, size)
        if found.demuxer == "matroska":
            return _segment_is_cut(file, size)
        if found.demuxer == "wav":
            return _chunks_are_cut(file, size)
        if found.demuxer == "ogg":
            return _last_page_is_cut(file, size)
        if found.demuxer == "mp3":
            return _frames_are_cut(file, size)
    return False


def plays_while_loading(path: Path) -> bool:
    """Tell whether an MP4 file has its index before its pictures. Blocks."""
    with path.open("rb") as file:
        position = 0
        for _ in range(_MOST_BOXES):
            file.seek(position)
            header = file.read(16)
            length = int.from_bytes(header[:4], "big")
            if header[4:8] in (b"moov", b"mdat"):
                return header[4:8] == b"moov"
            if length == 1:
                length = int.from_bytes(header[8:16], "big")
            if length < 8:  # noqa: PLR2004 - no box is shorter than its own header
                return False
            position += length
    return False


def _boxes_are_cut(file: BinaryIO, size: int) -> bool:
    """Walk the outermost boxes (ISO/IEC 14496-12, 4.2)."""
    position, index_found = 0, False
    for _ in range(_MOST_BOXES):
        if position >= size:
            break
        file.seek(position)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        index_found = index_found or header[4:8] == b"moov"
        least = 8
        if length == 1:
            length, least = int.from_bytes(header[8:16], "big"), 16
        if length == 0:  # to the end of the file
            break
        if length < least:
            return True
        position += length
        if position > size:
            return True
    return not index_found


def _segment_is_cut(file: BinaryIO, size: int) -> bool:
    """Look at the size of the segment that holds everything (RFC 8794, RFC 9559)."""
    head = file.read(256)
    header_end = _element_end(head, 0, id_bytes=4)
    if header_end is None:
        return True
    if int.from_bytes(head[header_end : header_end + 4], "big") != _SEGMENT_ID:
        return True
    end = _element_end(head, header_end, id_bytes=4)
    return end is not None and end > size


def _element_end(head: bytes, start: int, *, id_bytes: int) -> int | None:
    """Return where an EBML element ends; `None` if its size is unknown or not there."""
    at = start + id_bytes
    if at >= len(head) or head[at] == 0:
        return None
    length_bytes = 9 - head[at].bit_length()
    coded = int.from_bytes(head[at : at + length_bytes], "big")
    value_bits = 7 * length_bytes
    value = coded & ((1 << value_bits) - 1)
    if value == (1 << value_bits) - 1:
        return None
    return at + length_bytes + value


def _chunks_are_cut(file: BinaryIO, size: int) -> bool:
    """Walk the chunks up to the samples, and see whether all of these are there."""
    if file.read(4) == b"RF64":
        return False
    position = 12
    while position + 8 <= size:
        file.seek(position)
        header = file.read(8)
        length = int.from_bytes(header[4:], "little")
        if header[:4] == b"data":
            known = length not in _UNKNOWN_WAV_SIZES and length < _LEAST_UNKNOWN_WAV_SIZE
            return known and position + 8 + length > size
        position += 8 + length + length % 2
    return True


def _last_page_is_cut(file: BinaryIO, size: int) -> bool:
    """Find the last page and add its segments up (RFC 3533)."""
    start = max(0, size - _OGG_TAIL_BYTES)
    file.seek(start, os.SEEK_SET)
    tail = file.read()
    page = tail.rfind(b"OggS")
    if page < 0 or page + _OGG_HEADER_BYTES > len(tail):
        return True
    segments = tail[page + _OGG_HEADER_BYTES - 1]
    table = tail[page + _OGG_HEADER_BYTES : page + _OGG_HEADER_BYTES + segments]
    page_end = page + _OGG_HEADER_BYTES + segments + sum(table)
    return len(table) < segments or page_end > len(tail)


def _frames_are_cut(file: BinaryIO, size: int) -> bool:
    """Look into the first frame for the size that most encoders note there (Xing, LAME)."""
    start = _id3_end(file.read(10))
    file.seek(start)
    frame = file.read(_XING_WITHIN_BYTES)
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if at < 0:
        return False
    flags = int.from_bytes(frame[at + 4 : at + 8], "big")
    if not flags & _XING_HAS_BYTES:
        return False
    field = at + (12 if flags & _XING_HAS_FRAMES else 8)
    noted = int.from_bytes(frame[field : field + 4], "big")
    return start + noted > size


def _id3_end(head: bytes) -> int:
    """Return where the tag at the beginning ends (ID3v2.4, 3.1)."""
    if not head.startswith(b"ID3"):
        return 0
    length = 0
    for byte in head[6:10]:
        length = length << 7 | byte & 0x7F
    return 10 + length
