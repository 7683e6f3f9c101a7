"""The file formats we keep, and how to tell them by their first bytes."""

from __future__ import annotations

from typing import NamedTuple

from mediawright.core.operations import MediaKind


class Format(NamedTuple):
    """A file format."""

    name: str
    kind: MediaKind
    content_type: str
    extensions: tuple[str, ...]
    """Without the dot; the first is the one we write."""
    demuxer: str | None = None
    """FFmpeg's reader, named so that no file can talk it into another one."""

    @property
    def extension(self) -> str:
        """The extension our own files get."""
        return self.extensions[0]


_IMAGE, _VIDEO, _AUDIO = MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.AUDIO

PNG = Format("PNG", _IMAGE, "image/png", ("png",))
JPEG = Format("JPEG", _IMAGE, "image/jpeg", ("jpg", "jpeg"))
WEBP = Format("WEBP", _IMAGE, "image/webp", ("webp",))
GIF = Format("GIF", _IMAGE, "image/gif", ("gif",))
BMP = Format("BMP", _IMAGE, "image/bmp", ("bmp",))
TIFF = Format("TIFF", _IMAGE, "image/tiff", ("tiff", "tif"))
AVIF = Format("AVIF", _IMAGE, "image/avif", ("avif",))
HEIC = Format("HEIC", _IMAGE, "image/heic", ("heic",))
HEIF = Format("HEIF", _IMAGE, "image/heif", ("heif",))
MP4 = Format("MP4", _VIDEO, "video/mp4", ("mp4",), "mov")
MOV = Format("QuickTime", _VIDEO, "video/quicktime", ("mov",), "mov")
WEBM = Format("WebM", _VIDEO, "video/webm", ("webm",), "matroska")
MP3 = Format("MP3", _AUDIO, "audio/mpeg", ("mp3",), "mp3")
WAV = Format("WAV", _AUDIO, "audio/wav", ("wav",), "wav")
FLAC = Format("FLAC", _AUDIO, "audio/flac", ("flac",), "flac")
OGG = Format("Ogg", _AUDIO, "audio/ogg", ("ogg", "oga", "opus"), "ogg")
M4A = Format("M4A", _AUDIO, "audio/mp4", ("m4a",), "mov")
AAC = Format("AAC", _AUDIO, "audio/aac", ("aac",), "aac")
WEBM_AUDIO = Format("WebM", _AUDIO, "audio/webm", ("webm",), "matroska")
JSON = Format("JSON", MediaKind.TEXT, "application/json", ("json",))

FORMATS = (
    PNG,
    JPEG,
    WEBP,
    GIF,
    BMP,
    TIFF,
    AVIF,
    HEIC,
    HEIF,
    MP4,
    MOV,
    WEBM,
    MP3,
    WAV,
    FLAC,
    OGG,
    M4A,
    AAC,
    WEBM_AUDIO,
    JSON,
)

SNIFFED_BYTES = 64
"""How many bytes of a file's beginning `sniff` wants."""

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"fLaC", FLAC),
    (b"OggS", OGG),
    (b"ID3", MP3),
)
_RIFF = {b"WEBP": WEBP, b"WAVE": WAV}
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
# Pictures in boxes whose codec only the compatible brands tell.
_PICTURE_BRANDS = frozenset({b"mif1", b"mif2", b"msf1"})
_CANON_RAW = b"crx "
_M4A_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P "})
# How QuickTime files began before there was a box that names the brand.
_OLD_QUICKTIME = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_EBML = b"\x1a\x45\xdf\xa3"
# Eleven or twelve set bits, the version of MPEG audio, the layer.
_SYNC_AND_LAYER = 0xFFFE0000
_AAC_FRAMES = frozenset({0xFFF00000, 0xFFF80000})
_MP3_FRAMES = frozenset({0xFFE20000, 0xFFF20000, 0xFFFA0000})  # MPEG 2.5, 2 and 1; layer III
_NO_BIT_RATE, _NO_SAMPLING_RATE = 0b1111, 0b11
_BMP_HEADER_SIZES = frozenset({12, 40, 52, 56, 64, 108, 124})


def sniff(head: bytes) -> Format | None:
    """Return the format that a file's first bytes announce, or `None` for no known one.

    Args:
        head: The first `SNIFFED_BYTES` bytes, or all of a shorter file.
    """
    for signature, found in _SIGNATURES:
        if head.startswith(signature):
            return found
    if head[:4] in (b"RIFF", b"RF64"):
        return _RIFF.get(head[8:12])
    if head.startswith(b"BM"):
        return BMP if int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES else None
    if head.startswith(_EBML):
        return WEBM if b"webm" in head else None
    return _sniff_boxes(head) or _sniff_frames(head)


def format_for_content_type(content_type: str) -> Format | None:
    """Return the format of a content type as `MediaFacts` has it."""
    return next((one for one in FORMATS if one.content_type == content_type), None)


def extensions_of_kind(kind: MediaKind) -> frozenset[str]:
    """Return every extension a file of that kind may have, without dots."""
    return frozenset(
        extension for one in FORMATS if one.kind is kind for extension in one.extensions
    )


def same_extension(first: str, second: str) -> bool:
    """Tell whether two extensions, without dots, name the same format."""
    one, other = first.lower(), second.lower()
    return one == other or any(
        one in known.extensions and other in known.extensions for known in FORMATS
    )


def _sniff_boxes(head: bytes) -> Format | None:
    kind = head[4:8]
    if kind != b"ftyp":
        return MOV if kind in _OLD_QUICKTIME else None
    brand = head[8:12]
    if brand in _AVIF_BRANDS | _HEIC_BRANDS | _PICTURE_BRANDS:
        return _boxed_picture(head, brand)
    if brand == _CANON_RAW:
        return None
    if brand == b"qt  ":
        return MOV
    return M4A if brand in _M4A_BRANDS else MP4


def _boxed_picture(head: bytes, brand: bytes) -> Format:
    """Tell AVIF, HEIC and HEIF apart (ISO/IEC 23008-12, annex B)."""
    if brand in _AVIF_BRANDS:
        return AVIF
    # Such files name AVIF among the compatible brands when that is what they hold.
    size = min(int.from_bytes(head[:4], "big"), len(head))
    compatible = {head[at : at + 4] for at in range(16, size, 4)}
    if compatible & _AVIF_BRANDS:
        return AVIF
    return HEIC if brand in _HEIC_BRANDS or compatible & _HEIC_BRANDS else HEIF


def _sniff_frames(head: bytes) -> Format | None:
    """Tell bare MPEG audio by the header of its first frame (ISO/IEC 11172-3, 13818-7)."""
    header = int.from_bytes(head[:4].ljust(4, b"\0"), "big")
    if header & _SYNC_AND_LAYER in _AAC_FRAMES:
        return AAC
    if header & _SYNC_AND_LAYER not in _MP3_FRAMES:
        return None
    bit_rate, sampling_rate = (header >> 12) & 0b1111, (header >> 10) & 0b11
    return None if bit_rate == _NO_BIT_RATE or sampling_rate == _NO_SAMPLING_RATE else MP3
