"""What a reply says about retrying, and what its status means."""

from __future__ import annotations

import pytest

from mediawright.core.provider import FaultKind
from mediawright.providerkit.http import HttpReply
from mediawright.providerkit.status_faults import fault_for_status


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
        (
            {
                "date": "Wed, 21 Oct 2026 07:28:00 GMT",
                "retry-after": "Wed, 21 Oct 2026 07:30:00 GMT",
            },
            120.0,
        ),
        (
            {
                "date": "Wed, 21 Oct 2026 07:28:00 GMT",
                "retry-after": "Wed, 21 Oct 2026 07:20:00 GMT",
            },
            0.0,
        ),
        ({"retry-after": "Wed, 21 Oct 2026 07:30:00 GMT"}, None),
    ],
)
def test_when_to_ask_again(headers, seconds):
    assert HttpReply(status=429, headers=headers).retry_after() == seconds


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, FaultKind.INVALID_REQUEST),
        (405, FaultKind.INVALID_REQUEST),
        (408, FaultKind.UNAVAILABLE),
        (409, FaultKind.INVALID_REQUEST),
        (410, FaultKind.NOT_FOUND),
        (413, FaultKind.INVALID_REQUEST),
        (415, FaultKind.INVALID_REQUEST),
        (451, FaultKind.REFUSED),
        (529, FaultKind.UNAVAILABLE),
    ],
)
@pytest.mark.parametrize("synchronous", [True, False])
def test_statuses_that_say_nothing_was_taken_up(status, kind, synchronous):
    fault = fault_for_status(HttpReply(status=status, headers={}), synchronous=synchronous)
    assert (fault.kind, fault.accepted, fault.http_status) == (kind, False, status)
    assert str(status) in fault.message


@pytest.mark.parametrize("status", [500, 502, 504, 520, 524])
def test_server_errors_leave_a_job_open_only_where_there_are_jobs(status):
    reply = HttpReply(status=status, headers={})
    assert fault_for_status(reply, synchronous=False).accepted is None
    # A gateway that gave up says nothing about what goes on behind it.
    known = None if status in {504, 524} else False
    assert fault_for_status(reply, synchronous=True).accepted is known


def test_a_redirect_to_the_result_means_that_the_request_was_carried_out():
    for status, accepted in ((303, None), (301, False), (307, False), (308, False)):
        reply = HttpReply(status=status, headers={})
        assert fault_for_status(reply, synchronous=False).accepted is accepted


def test_a_vendor_may_mean_something_else_by_a_status():
    reply = HttpReply(status=403, headers={})
    fault = fault_for_status(
        reply, "blocked", synchronous=True, vendor_code="policy", kinds={403: FaultKind.REFUSED}
    )
    assert (fault.kind, fault.message, fault.vendor_code) == (
        FaultKind.REFUSED,
        "blocked",
        "policy",
    )
