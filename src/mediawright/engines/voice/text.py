"""Text made ready for a speech synthesiser, and cut where a speaker would breathe."""

from __future__ import annotations

import re
import unicodedata

from mediawright.core.errors import InvalidRequestError

CHUNK_CHARACTERS = 400
"""About how much text is spoken in one go: enough for good prosody, short enough to stop."""

_ASCII = str.maketrans(
    {
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{EN DASH}": ", ",
        "\N{EM DASH}": ", ",
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "€": " euros ",
        "£": " pounds ",
    }
)
_SENTENCE_END = re.compile(r"(?<=[.!?;:])\s+|(?<=[\u3002\uff01\uff1f])|\n\s*\n")
_WORD = re.compile(r"\w")


def chunks(text: str, limit: int = CHUNK_CHARACTERS) -> list[str]:
    """Return the text in pieces of whole sentences, at most about `limit` characters each.

    A single sentence that is longer is cut between words.

    Raises:
        InvalidRequestError: `empty_text` if there is nothing in it to be spoken.
    """
    if not _WORD.search(text):
        raise InvalidRequestError(
            "empty_text", "There is nothing to speak in the text.", pointer="/prompt"
        )
    pieces: list[str] = []
    for sentence in _SENTENCE_END.split(text):
        for part in _between_words(" ".join(sentence.split()), limit):
            if pieces and len(pieces[-1]) + len(part) < limit:
                pieces[-1] = f"{pieces[-1]} {part}"
            else:
                pieces.append(part)
    return [piece for piece in pieces if _WORD.search(piece)]


def to_ascii(text: str) -> str:
    """Return the text for a synthesiser that knows English letters alone.

    Raises:
        InvalidRequestError: `unspeakable_text` if no letter or digit is left.
    """
    decomposed = unicodedata.normalize("NFKD", text.translate(_ASCII))
    plain = "".join(mark for mark in decomposed if mark.isascii() and mark.isprintable())
    if not _WORD.search(plain):
        raise InvalidRequestError(
            "unspeakable_text",
            "The English voice cannot speak a text without Latin letters or digits.",
            pointer="/prompt",
            hint="Use an espeak-ng voice of the text's language, such as ru or cmn.",
        )
    return plain


def _between_words(sentence: str, limit: int) -> list[str]:
    parts: list[str] = []
    rest = sentence
    while len(rest) > limit:
        cut = rest.rfind(" ", 0, limit)
        cut = cut if cut > 0 else limit
        parts.append(rest[:cut])
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest else parts
