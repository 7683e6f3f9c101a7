"""The vocabulary of what can be asked for."""

from __future__ import annotations

from enum import StrEnum


class MediaKind(StrEnum):
    """What a file is."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"


class Operation(StrEnum):
    """What a model does. The four `generation_type` values of the public API are among them."""

    TEXT_TO_IMAGE = "text-to-image"
    IMAGE_TO_IMAGE = "image-to-image"
    TEXT_TO_VIDEO = "text-to-video"
    IMAGE_TO_VIDEO = "image-to-video"
    VIDEO_TO_VIDEO = "video-to-video"
    TEXT_TO_SPEECH = "text-to-speech"
    SPEECH_TO_TEXT = "speech-to-text"
    TEXT_TO_MUSIC = "text-to-music"
    TEXT_TO_SOUND = "text-to-sound"
    AUDIO_TO_AUDIO = "audio-to-audio"

    @property
    def output_kind(self) -> MediaKind:
        """The kind of file the operation makes."""
        return _OUTPUT_KIND[self]

    @property
    def span_kind(self) -> str:
        """The kind of its trace span: image, video, speech or music (rule 79)."""
        return _SPAN_KIND[self]


class EditMode(StrEnum):
    """The ways an image-to-image request can treat its picture."""

    EDIT = "edit"
    INPAINT = "inpaint"
    ERASE = "erase"
    OUTPAINT = "outpaint"
    REPLACE = "replace"
    REMOVE_BACKGROUND = "remove-background"
    UPSCALE = "upscale"
    REFRAME = "reframe"
    VARIATION = "variation"


class InputRole(StrEnum):
    """What an input file is for (rule 51; `mask` from rule 80)."""

    FIRST_FRAME = "first_frame"
    LAST_FRAME = "last_frame"
    REFERENCE_IMAGE = "reference_image"
    REFERENCE_VIDEO = "reference_video"
    REFERENCE_AUDIO = "reference_audio"
    MASK = "mask"

    @property
    def media_kind(self) -> MediaKind:
        """The only kind of file that may take this role."""
        if self is InputRole.REFERENCE_VIDEO:
            return MediaKind.VIDEO
        if self is InputRole.REFERENCE_AUDIO:
            return MediaKind.AUDIO
        return MediaKind.IMAGE


_OUTPUT_KIND = {
    Operation.TEXT_TO_IMAGE: MediaKind.IMAGE,
    Operation.IMAGE_TO_IMAGE: MediaKind.IMAGE,
    Operation.TEXT_TO_VIDEO: MediaKind.VIDEO,
    Operation.IMAGE_TO_VIDEO: MediaKind.VIDEO,
    Operation.VIDEO_TO_VIDEO: MediaKind.VIDEO,
    Operation.TEXT_TO_SPEECH: MediaKind.AUDIO,
    Operation.SPEECH_TO_TEXT: MediaKind.TEXT,
    Operation.TEXT_TO_MUSIC: MediaKind.AUDIO,
    Operation.TEXT_TO_SOUND: MediaKind.AUDIO,
    Operation.AUDIO_TO_AUDIO: MediaKind.AUDIO,
}

_SPAN_KIND = {
    Operation.TEXT_TO_IMAGE: "image",
    Operation.IMAGE_TO_IMAGE: "image",
    Operation.TEXT_TO_VIDEO: "video",
    Operation.IMAGE_TO_VIDEO: "video",
    Operation.VIDEO_TO_VIDEO: "video",
    Operation.TEXT_TO_SPEECH: "speech",
    Operation.SPEECH_TO_TEXT: "speech",
    Operation.TEXT_TO_MUSIC: "music",
    Operation.TEXT_TO_SOUND: "music",
    Operation.AUDIO_TO_AUDIO: "speech",
}
