"""What the guard admits and refuses by a URL's text alone."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediawright.core.errors import ForbiddenError
from mediawright.providerkit.addresses import refusal_of_address
from mediawright.providerkit.guard import UrlGuard
from mediawright.providerkit.urls import origin_of, parse_url

FORBIDDEN_BLOCKS = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
)

forbidden_ipv4 = st.sampled_from(FORBIDDEN_BLOCKS).flatmap(
    lambda block: st.ip_addresses(network=block)
)


def reason_for(url: str, guard: UrlGuard | None = None) -> str:
    with pytest.raises(ForbiddenError) as caught:
        (guard or UrlGuard()).admit(url)
    assert caught.value.code == "url_not_allowed"
    assert caught.value.hint
    return caught.value.details["reason"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1/", "loopback_address"),
        ("http://127.8.8.8:8080/x", "loopback_address"),
        ("http://10.1.2.3/", "private_address"),
        ("http://172.31.255.255/", "private_address"),
        ("http://192.168.0.1/", "private_address"),
        ("http://169.254.1.1/", "link_local_address"),
        ("http://169.254.169.254/latest/meta-data/", "metadata_address"),
        ("http://169.254.170.2/v2/credentials", "metadata_address"),
        ("http://100.100.100.200/latest/meta-data/", "metadata_address"),
        ("http://168.63.129.16/machine", "metadata_address"),
        ("http://100.64.0.1/", "shared_address"),
        ("http://0.0.0.0/", "unspecified_address"),
        ("http://224.0.0.251/", "multicast_address"),
        ("http://255.255.255.255/", "reserved_address"),
        ("http://198.18.0.1/", "reserved_address"),
        ("http://192.0.2.1/", "reserved_address"),
        ("http://[::1]/", "loopback_address"),
        ("http://[::]/", "unspecified_address"),
        ("http://[fe80::1]/", "link_local_address"),
        ("http://[fe80::1%25eth0]/", "zone_id"),
        ("http://[fe80::1%eth0]/", "zone_id"),
        ("http://[fd00:ec2::254]/latest", "metadata_address"),
        ("http://[fd12:3456::1]/", "private_address"),
        ("http://[fec0::1]/", "private_address"),
        ("http://[ff02::1]/", "multicast_address"),
        ("http://[2001:db8::1]/", "reserved_address"),
        ("http://[100::1]/", "reserved_address"),
        ("http://[4000::1]/", "reserved_address"),
    ],
)
def test_addresses_outside_the_public_internet_are_refused_with_their_reason(url, reason):
    assert reason_for(url) == reason


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("2130706433", "loopback_address"),
        ("017700000001", "loopback_address"),
        ("0x7f000001", "loopback_address"),
        ("0X7F.0.0.1", "loopback_address"),
        ("0177.0.0.1", "loopback_address"),
        ("0177.0.0.01", "loopback_address"),
        ("127.1", "loopback_address"),
        ("127.0.1", "loopback_address"),
        ("127.0.0.1.", "loopback_address"),
        ("1２7.0.0.1", "loopback_address"),  # noqa: RUF001 - the fullwidth digit is the point
        ("127。0。0。1", "loopback_address"),
        ("①②⑦.0.0.1", "loopback_address"),
        ("0xa9fea9fe", "metadata_address"),
        ("2852039166", "metadata_address"),
        ("0251.0376.0251.0376", "metadata_address"),
        ("192.168.257", "private_address"),
        ("0", "unspecified_address"),
        ("0x08080808", "ambiguous_address"),
        ("8.8", "ambiguous_address"),
        ("[::ffff:127.0.0.1]", "loopback_address"),
        ("[::ffff:7f00:1]", "loopback_address"),
        ("[::127.0.0.1]", "loopback_address"),
        ("[::ffff:a9fe:a9fe]", "metadata_address"),
        ("[::ffff:0:127.0.0.1]", "loopback_address"),
        ("[64:ff9b::10.0.0.1]", "private_address"),
        ("[64:ff9b:1::10.0.0.1]", "private_address"),
        ("[2002:7f00:1::]", "loopback_address"),
        ("[2002:c0a8:101::1]", "private_address"),
        ("[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "reserved_address"),
        ("[2001:0:4136:e378:8000:63bf:f5ff:fffe]", "private_address"),
        ("[2606:4700::5efe:10.0.0.1]", "private_address"),
        ("[2606:4700::200:5efe:127.0.0.1]", "loopback_address"),
    ],
)
def test_addresses_in_disguise_are_recognised(host, reason):
    assert reason_for(f"http://{host}/") == reason


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://localhost/", "internal_name"),
        ("http://LOCALHOST./", "internal_name"),
        ("http://printer/", "internal_name"),
        ("http://db.svc.cluster.local/", "internal_name"),
        ("http://router.lan/", "internal_name"),
        ("http://sub.localhost/", "internal_name"),
        ("http://metadata.google.internal/", "metadata_address"),
        ("http://METADATA.google.internal./computeMetadata/v1/", "metadata_address"),
        ("http://metadata/", "metadata_address"),
        ("http://vault.internal/", "internal_name"),
        ("ftp://example.com/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://example.com/", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("data:image/png;base64,AAAA", "scheme"),
        ("example.com/picture.png", "malformed"),
        ("//example.com/picture.png", "malformed"),
        ("http:/example.com/", "malformed"),
        ("http:///x", "malformed"),
        ("", "malformed"),
        ("http://example.com/a b", "malformed"),
        ("http://example.com/\r\nHost: x", "malformed"),
        ("http://exa\tmple.com/", "malformed"),
        (" http://example.com/", "malformed"),
        ("http://ex%61mple.com/", "malformed"),
        ("http://%31%32%37.0.0.1/", "malformed"),
        ("http://example.com\\@127.0.0.1/", "userinfo"),
        ("http://127.0.0.1\\.example.com/", "malformed"),
        ("http://example..com/", "malformed"),
        ("http://-example.com/", "malformed"),
        ("http://1.2.3.4.5/", "malformed"),
        ("http://256.1.1.1/", "malformed"),
        ("http://[::1/", "malformed"),
        ("http://[::1]x/", "malformed"),
        ("http://x[::1]/", "malformed"),
        ("http://[127.0.0.1]/", "malformed"),
        ("http://example.com:80:80/", "malformed"),
        ("http://example.com:abc/", "malformed"),
        ("http://user:password@example.com/", "userinfo"),
        ("http://user@example.com/", "userinfo"),
        ("http://example.com@127.0.0.1/", "userinfo"),
        ("http://@example.com/", "userinfo"),
        ("http://example.com:22/", "port"),
        ("http://example.com:0/", "port"),
        ("http://example.com:65536/", "port"),
        ("https://example.com:25/", "port"),
        ("http://example.com/" + "x" * 20_000, "malformed"),
    ],
)
def test_other_urls_that_are_never_fetched(url, reason):
    assert reason_for(url) == reason


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTPS://EXAMPLE.com.:443/A?b=C#d", "https://example.com/A?b=C"),
        ("http://example.com?x=1", "http://example.com/?x=1"),
        ("http://example.com:8080/", "http://example.com:8080/"),
        ("https://bücher.example/ä?ö=ü", "https://xn--bcher-kva.example/%C3%A4?%C3%B6=%C3%BC"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://[2606:4700:0::1111]:8443/", "http://[2606:4700::1111]:8443/"),
        ("http://[::ffff:8.8.8.8]/", "http://[::ffff:808:808]/"),
        ("http://[64:ff9b::8.8.8.8]/", "http://[64:ff9b::808:808]/"),
        ("https://my_bucket.s3.example.com/", "https://my_bucket.s3.example.com/"),
    ],
)
def test_public_urls_are_admitted_in_canonical_form_and_not_vouched_for(url, text):
    admitted = UrlGuard().admit(url)
    assert admitted.url.text == text
    assert not admitted.vouched


def test_a_signed_query_is_sent_as_it_was_given():
    signed = "/a%2Fb+c?X-Amz-Signature=ab%2Fcd%3D%3d&response=a%20b+c;d&e=f/g?h=(1)|{2}^%"
    assert parse_url(f"https://files.example.com{signed}").target == signed


def test_messages_name_the_host_but_neither_path_nor_query():
    with pytest.raises(ForbiddenError) as caught:
        UrlGuard().admit("http://10.0.0.1/hidden-path?token=hidden-token")
    shown = f"{caught.value.message} {caught.value.hint} {caught.value.details}"
    assert "10.0.0.1" in shown
    assert "hidden" not in shown


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.5:9000/x",
        "http://10.0.0.5:9000",
        "HTTP://10.0.0.5:9000/?q=1",
        "http://minio:9000/bucket/key",
        "https://nas.lan/file",
        "https://nas.lan:443/file",
    ],
)
def test_allowed_origins_are_admitted_and_vouched_for(url):
    guard = UrlGuard(frozenset({"http://10.0.0.5:9000", "http://minio:9000/", "https://NAS.lan"}))
    assert guard.admit(url).vouched


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.5:9000/",  # another scheme
        "http://10.0.0.5:9001/",  # another port
        "http://10.0.0.5/",
        "http://10.0.0.6:9000/",  # another host
        "http://minio.example.lan:9000/",
        "http://nas.lan/",
    ],
)
def test_an_allowed_origin_allows_no_other(url):
    guard = UrlGuard(frozenset({"http://10.0.0.5:9000", "http://minio:9000", "https://nas.lan"}))
    assert reason_for(url, guard) in {"private_address", "internal_name"}


def test_a_url_from_configuration_must_be_of_a_configured_origin():
    guard = UrlGuard()
    trusted = frozenset({"http://10.0.0.5:9000"})
    assert guard.admit_configured("http://10.0.0.5:9000/v1/images", trusted).vouched
    with pytest.raises(ForbiddenError) as caught:
        guard.admit_configured("https://elsewhere.example.com/", trusted)
    assert caught.value.details["reason"] == "not_configured"


@pytest.mark.parametrize(
    ("location", "text"),
    [
        ("/b?c", "https://a.example.com/b?c"),
        ("b", "https://a.example.com/x/b"),
        ("//cdn.example.com/y", "https://cdn.example.com/y"),
        ("https://cdn.example.com:8443/y#z", "https://cdn.example.com:8443/y"),
        ("/\\evil.example.com", "https://a.example.com/%5Cevil.example.com"),
    ],
)
def test_redirects_are_resolved_against_where_they_came_from(location, text):
    current = parse_url("https://a.example.com/x/y")
    assert UrlGuard().follow(current, location).url.text == text


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://a.example.com/", "redirect_downgrade"),
        ("//127.0.0.1/", "loopback_address"),
        ("https://169.254.169.254/", "metadata_address"),
        ("https://user:pw@cdn.example.com/", "userinfo"),
        ("file:///etc/passwd", "scheme"),
        ("https://[::1]", "loopback_address"),
        ("https://[", "malformed"),
        ("/a\r\nb", "malformed"),
    ],
)
def test_redirects_that_are_not_followed(location, reason):
    with pytest.raises(ForbiddenError) as caught:
        UrlGuard().follow(parse_url("https://a.example.com/x"), location)
    assert caught.value.details["reason"] == reason


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://API.example.com/v1", "https://api.example.com"),
        ("https://api.example.com:443", "https://api.example.com"),
        ("http://127.0.0.1:8080/x?y", "http://127.0.0.1:8080"),
        ("http://[0:0::1]:80/", "http://[::1]"),
    ],
)
def test_an_origin_has_one_spelling(url, origin):
    assert origin_of(url) == origin


@st.composite
def spellings_of(draw: st.DrawFn, addresses=forbidden_ipv4) -> str:
    """Draw an IPv4 address as a host in any notation some parser understands."""
    number = int(draw(addresses))
    if draw(st.booleans()):
        return draw(st.sampled_from(_ipv6_spellings(number)))
    count = draw(st.integers(1, 4))
    octets = [number >> 24 & 255, number >> 16 & 255, number >> 8 & 255]
    rest = number & (256 ** (5 - count) - 1)
    parts = [
        draw(
            st.sampled_from([f"{part}", f"0{part:o}", f"0x{part:x}", f"0X{part:X}", f"00{part:o}"])
        )
        for part in [*octets[: count - 1], rest]
    ]
    dot = draw(st.sampled_from([".", "。", "．", "｡"]))  # noqa: RUF001 - IDNA takes these for dots
    host = dot.join(parts) + draw(st.sampled_from(["", "."]))
    if draw(st.booleans()):
        host = host.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
    return host


def _ipv6_spellings(number: int) -> list[str]:
    high, low = f"{number >> 16:x}", f"{number & 0xFFFF:x}"
    dotted = str(ipaddress.IPv4Address(number))
    return [
        f"[::ffff:{dotted}]",
        f"[0:0:0:0:0:FFFF:{high}:{low}]",
        f"[::{dotted}]",
        f"[::{high}:{low}]",
        f"[::ffff:0:{dotted}]",
        f"[64:ff9b::{dotted}]",
        f"[0064:FF9B::{high}:{low}]",
        f"[64:ff9b:1::{dotted}]",
        f"[2002:{high}:{low}::1]",
        f"[2001:0:{high}:{low}::1]",
        f"[2a00:1450::5efe:{high}:{low}]",
        f"[fe80::5efe:{dotted}%25eth0]",
    ]


@given(
    host=spellings_of(),
    scheme=st.sampled_from(["http", "https", "HTTP"]),
    tail=st.sampled_from(["", "/", ":8080/x", "?a", "#b"]),
)
def test_no_spelling_of_a_forbidden_address_is_admitted(host, scheme, tail):
    with pytest.raises(ForbiddenError):
        UrlGuard().admit(f"{scheme}://{host}{tail}")


@given(st.ip_addresses())
def test_only_globally_reachable_addresses_are_allowed(address):
    if refusal_of_address(address) is None:
        mapped = getattr(address, "ipv4_mapped", None)
        assert (mapped or address).is_global
        assert not (mapped or address).is_multicast


@given(st.ip_addresses(v=4).filter(lambda address: refusal_of_address(address) is None))
def test_public_addresses_in_plain_notation_are_admitted(address):
    assert UrlGuard().admit(f"https://{address}/").url.authority.address == address


@given(st.text(max_size=40) | st.from_regex(r"https?://[^/]{0,20}/.{0,5}", fullmatch=True))
def test_any_text_is_either_canonical_or_refused(text):
    try:
        url = parse_url(text)
    except ForbiddenError:
        return
    assert parse_url(url.text) == url
    assert url.text.isascii()
