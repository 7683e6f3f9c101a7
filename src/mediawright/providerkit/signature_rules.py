"""How providers sign their webhooks, from their documentation."""

from __future__ import annotations

from mediawright.providerkit.signatures import (
    Algorithm,
    BodyText,
    Content,
    Encoding,
    Place,
    SignatureRule,
)

STANDARD_WEBHOOKS = SignatureRule(
    algorithm=Algorithm.HMAC_SHA256,
    signature=Place("webhook-signature", prefix="v1,", separator=" "),
    encoding=Encoding.BASE64,
    signed=(Place("webhook-id"), Place("webhook-timestamp"), Content.BODY),
    timestamp=Place("webhook-timestamp"),
)
"""The Standard Webhooks specification: Replicate (section 6), OpenAI (section 8) and the
static webhooks of Google (section 8). Their secrets begin with `whsec_`."""

STANDARD_DELIVERY = Place("webhook-id")
"""Where Standard Webhooks name the delivery."""

ELEVENLABS = SignatureRule(
    algorithm=Algorithm.HMAC_SHA256,
    signature=Place("elevenlabs-signature", prefix="v0=", separator=","),
    encoding=Encoding.HEX,
    signed=(Place("elevenlabs-signature", prefix="t=", separator=","), Content.BODY),
    timestamp=Place("elevenlabs-signature", prefix="t=", separator=","),
    tolerance=1_800.0,
)
"""ElevenLabs: time and signature in one header, half an hour of tolerance."""

BFL = SignatureRule(
    algorithm=Algorithm.HMAC_SHA256,
    signature=Place("x-bfl-signature", prefix="sha256="),
    encoding=Encoding.HEX,
    signed=(Content.BODY,),
)
"""Black Forest Labs: the body alone, so nothing tells an old delivery from a new one."""

KIE = SignatureRule(
    algorithm=Algorithm.HMAC_SHA256,
    signature=Place("x-webhook-signature"),
    encoding=Encoding.BASE64,
    signed=(BodyText((("data", "taskId"), ("data", "task_id"))), Place("x-webhook-timestamp")),
    timestamp=Place("x-webhook-timestamp"),
)
"""Kie (section 4): the task's name and the time; the rest of the body is not covered."""


def published_key(
    headers: str, subject: str, *, encoding: Encoding, key_id: str | None = None
) -> SignatureRule:
    """Return the rule of providers that sign with Ed25519 and publish the key (fal, Ideogram).

    Signed are the names of the subject and of the account, the time, and the body's digest, a
    line each.

    Args:
        headers: How all of the headers' names begin, in lower case and with the last hyphen.
        subject: The rest of the name of the header that names the job.
        encoding: How the signature is written.
        key_id: The rest of the name of the header that names the key, if there is one.
    """
    timestamp = Place(f"{headers}timestamp")
    return SignatureRule(
        algorithm=Algorithm.ED25519,
        signature=Place(f"{headers}signature"),
        encoding=encoding,
        signed=(
            Place(f"{headers}{subject}"),
            Place(f"{headers}user-id"),
            timestamp,
            Content.BODY_DIGEST,
        ),
        separator="\n",
        timestamp=timestamp,
        key_id=Place(f"{headers}{key_id}") if key_id else None,
    )


FAL = published_key("x-fal-webhook-", "request-id", encoding=Encoding.HEX)
"""fal (section 4)."""

IDEOGRAM = published_key(
    "x-ideogram-webhook-", "generation-id", encoding=Encoding.EITHER, key_id="key-id"
)
"""Ideogram; whether the signature is hex or base64 is not documented."""
