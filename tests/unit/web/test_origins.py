"""Who asks: addresses behind proxies, and pages of this, an allowed and a foreign site."""

from typing import Any

import pytest

from web import settings as own
from web.origins import (
    Standing,
    cookie_counts,
    cookie_counts_on_socket,
    headers_of,
    peer_of,
    secure_cookie,
    standing_of,
)


def scope(client: str = "127.0.0.1", scheme: str = "http", **headers: str) -> dict[str, Any]:
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http", "client": (client, 5), "scheme": scheme, "headers": raw}


def settings(**flags: str) -> own.Settings:
    return own.load(flags, {}, None)


def peer(given: dict[str, Any], **flags: str) -> Any:
    return peer_of(given, headers_of(given), settings(**flags))


def standing(given: dict[str, Any], **flags: str) -> Standing:
    headers = headers_of(given)
    return standing_of(headers, peer_of(given, headers, settings(**flags)), settings(**flags))


@pytest.mark.parametrize(
    ("near", "header", "address"),
    [
        ("9.9.9.9", "1.1.1.1", "9.9.9.9"),
        ("10.0.0.1", "1.1.1.1", "1.1.1.1"),
        ("10.0.0.1", "6.6.6.6, 1.1.1.1", "1.1.1.1"),
        ("10.0.0.1", "1.1.1.1, 10.0.0.2", "1.1.1.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1, nonsense, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1:443", "1.1.1.1"),
        ("10.0.0.1", '"[2001:db8::1]:443"', "2001:db8::1"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:10.0.0.1", "1.1.1.1", "1.1.1.1"),
        ("unix", "1.1.1.1", "unix"),
    ],
)
def test_the_address_comes_from_trusted_proxies_only(near: str, header: str, address: str) -> None:
    given = scope(near, x_forwarded_for=header)
    assert peer(given, trusted_proxies="10.0.0.0/8").address == address


def test_repeated_headers_are_read_as_one_list() -> None:
    given = scope("10.0.0.1")
    given["headers"] = [(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"1.1.1.1")]
    assert peer(given, trusted_proxies="10.0.0.1").address == "1.1.1.1"


def test_the_scheme_is_believed_of_trusted_proxies_only() -> None:
    assert peer(scope("10.0.0.1", x_forwarded_proto="https"), trusted_proxies="10.0.0.1").secure
    assert not peer(scope("10.0.0.1", x_forwarded_proto="https")).secure
    assert not peer(scope("10.0.0.1", "https", x_forwarded_proto="http"), trusted_proxies="10.0.0.1").secure
    assert peer(scope(scheme="https")).secure
    assert peer(scope(), public_url="https://a.example").secure


def test_repeated_cookies_stay_cookies() -> None:
    given = scope()
    given["headers"] = [(b"cookie", b"a=1"), (b"cookie", b"b=2")]
    assert headers_of(given)["cookie"] == "a=1; b=2"


@pytest.mark.parametrize(
    ("given", "loopback"),
    [
        (scope("127.0.0.1", host="localhost:8080"), True),
        (scope("::1", host="[::1]:8080"), True),
        (scope("127.0.0.1", host="127.0.0.1"), True),
        (scope("127.0.0.1", host="evil.example:8080"), False),
        (scope("127.0.0.1", host="localhost", x_forwarded_for="1.1.1.1"), False),
        (scope("127.0.0.1", host="localhost", forwarded="for=1.1.1.1"), False),
        (scope("192.168.0.2", host="localhost"), False),
        (scope("127.0.0.1"), False),
    ],
)
def test_loopback_is_a_program_here_asking_for_here(given: dict[str, Any], loopback: bool) -> None:
    assert peer(given).loopback is loopback


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, Standing.UNKNOWN),
        ({"origin": "http://a.example"}, Standing.SAME),
        ({"origin": "http://A.example"}, Standing.SAME),
        ({"origin": "https://a.example"}, Standing.SAME),
        ({"origin": "http://a.example:81"}, Standing.FOREIGN),
        ({"origin": "http://b.example"}, Standing.FOREIGN),
        ({"origin": "http://a.example.b.example"}, Standing.FOREIGN),
        ({"origin": "null"}, Standing.FOREIGN),
        ({"origin": ""}, Standing.FOREIGN),
        ({"origin": "http://[broken"}, Standing.FOREIGN),
        ({"origin": "https://friend.example"}, Standing.ALLOWED),
        ({"origin": "http://friend.example"}, Standing.FOREIGN),
        ({"origin": "http://a.example", "sec_fetch_site": "cross-site"}, Standing.FOREIGN),
        ({"sec_fetch_site": "same-origin"}, Standing.SAME),
        ({"sec_fetch_site": "none"}, Standing.SAME),
        ({"sec_fetch_site": "same-site"}, Standing.FOREIGN),
        ({"sec_fetch_site": "cross-site"}, Standing.FOREIGN),
    ],
)
def test_where_a_page_came_from(headers: dict[str, str], expected: Standing) -> None:
    given = scope(host="a.example", **headers)
    assert standing(given, allowed_origins="https://friend.example") is expected


def test_http_is_not_the_origin_of_https() -> None:
    given = scope(scheme="https", host="a.example", origin="http://a.example")
    assert standing(given) is Standing.FOREIGN


def test_the_public_address_is_our_own_behind_a_proxy_that_changes_the_host() -> None:
    given = scope(host="inner:8080", origin="https://chat.example")
    assert standing(given, public_url="https://chat.example") is Standing.SAME


def test_no_host_is_nobody_s_origin() -> None:
    assert standing(scope(origin="http://")) is Standing.FOREIGN


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_cookies_never_cross_origins(method: str) -> None:
    assert cookie_counts(Standing.SAME, method)
    assert not cookie_counts(Standing.ALLOWED, method)
    assert not cookie_counts(Standing.FOREIGN, method)
    assert cookie_counts(Standing.UNKNOWN, method) is (method == "GET")


def test_a_socket_without_origin_has_no_cookie() -> None:
    assert cookie_counts_on_socket(Standing.SAME, {"origin": "http://a.example"})
    assert cookie_counts_on_socket(Standing.ALLOWED, {"origin": "https://friend.example"})
    assert not cookie_counts_on_socket(Standing.SAME, {})
    assert not cookie_counts_on_socket(Standing.FOREIGN, {"origin": "http://b.example"})
    assert not cookie_counts_on_socket(Standing.UNKNOWN, {})


def test_cookies_are_for_https_alone_where_people_come_by_it_or_always_in_production() -> None:
    assert not secure_cookie(peer(scope()), settings())
    assert secure_cookie(peer(scope(scheme="https")), settings())
    assert secure_cookie(peer(scope()), settings(mode="production"))
