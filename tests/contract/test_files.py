"""Files of finished jobs that do not arrive, and inputs that have to be uploaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mediawright.assets.inspect import probe
from mediawright.core.errors import InvalidRequestError
from mediawright.core.provider import Accepted, Declined, Done, FaultKind
from mediawright.providerkit.transport import DownloadStatusError, TransportError, TransportFailure

from .bench import Bench, decode, unheard
from .cases import Case


async def test_a_file_that_breaks_off_is_an_error_and_can_be_had_again(linked: Case, bench: Bench):
    await bench.arrange("truncated_file", downloads=1)
    done = await bench.finish()

    with pytest.raises(TransportError) as raised:
        await bench.fetch(done.outputs[0])
    left = [path for path in bench.staging.glob("*") if path.is_file()]

    assert raised.value.failure is TransportFailure.TRUNCATED
    assert not left
    decode(linked.operation.output_kind, await bench.fetch(done.outputs[0]))


async def test_an_inlined_file_that_was_cut_short_is_found_out(
    inlined: Case, bench: Bench, tmp_path: Path
):
    await bench.arrange("truncated_file")
    (output,) = (await bench.finish()).outputs
    path = tmp_path / inlined.upstream_id
    path.write_bytes(await bench.fetch(output))

    with pytest.raises(InvalidRequestError) as raised:
        probe(path)

    assert raised.value.code == "corrupt_file"


async def test_an_expired_address_says_so(linked: Case, bench: Bench):
    await bench.arrange("expired_url")
    done = await bench.finish()

    with pytest.raises(DownloadStatusError) as raised:
        await bench.fetch(done.outputs[0])

    assert raised.value.status == 403


async def test_a_large_input_is_uploaded_first_and_then_used(uploading: Case, bench: Bench):
    stages: list[str] = []
    accepted = await bench.provider.submit(
        bench.call(large=True), lambda done, stage: stages.append(stage)
    )
    assert isinstance(accepted, Accepted), accepted

    _, end = await bench.poll_to_the_end(accepted.handle)

    assert isinstance(end, Done)
    assert stages == ["uploading"]
    assert bench.heard("upload")
    (entry,) = bench.heard("submit")
    assert "data:image" not in json.dumps(entry.body)


@pytest.mark.parametrize(
    ("scenario", "kind"),
    [
        ("rate_limited", FaultKind.RATE_LIMITED),
        ("server_error", FaultKind.UNAVAILABLE),
        ("garbage", FaultKind.GARBAGE),
        ("lost_reply", FaultKind.LOST_REPLY),
    ],
)
async def test_a_failed_upload_costs_nothing(uploading: Case, bench: Bench, scenario, kind):
    await bench.arrange(scenario, kind="upload")

    outcome = await bench.provider.submit(bench.call(large=True), unheard)

    assert isinstance(outcome, Declined)
    assert (outcome.fault.kind, outcome.fault.accepted) == (kind, False)
    assert not bench.heard("submit")
