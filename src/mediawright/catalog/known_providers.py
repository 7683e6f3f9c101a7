"""The providers that rows may name, with or without an adapter for them."""

from __future__ import annotations

KNOWN_PROVIDERS: frozenset[str] = frozenset(
    {
        "alibaba",
        "bfl",
        "bytedance",
        "deepgram",
        "elevenlabs",
        "fal",
        "google",
        "huggingface",
        "ideogram",
        "kie",
        "kling",
        "local",
        "luma",
        "minimax",
        "openai",
        "pruna",
        "replicate",
        "runway",
        "stability",
        "together",
        "xai",
    }
)
"""By the name that routes have; a name that is not here is taken for a slip of the pen."""
