"""The session cookie: attributes, and which cookies are not believed."""

import pytest

from web.cookies import clear_cookie, set_cookie, token_in


def test_on_https_the_cookie_is_bound_to_this_host() -> None:
    cookie = set_cookie("cs_1", secure=True, max_age=60)
    assert cookie == "__Host-cascade=cs_1; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"


def test_on_http_it_has_its_plain_name() -> None:
    cookie = set_cookie("cs_1", secure=False, max_age=60)
    assert cookie.startswith("cascade=cs_1;")
    assert "Secure" not in cookie
    assert "HttpOnly; SameSite=Lax" in cookie


@pytest.mark.parametrize("secure", [True, False])
def test_what_is_set_is_read_and_cleared_under_one_name(secure: bool) -> None:
    name = set_cookie("cs_1", secure=secure, max_age=1).partition("=")[0]
    assert token_in(f"other=1; {name}=cs_1", secure=secure) == "cs_1"
    assert clear_cookie(secure=secure).startswith(f"{name}=; Path=/; Max-Age=0")


@pytest.mark.parametrize(
    ("header", "secure"),
    [
        (None, False),
        ("", False),
        ("cascade=cs_1", True),
        ("__Host-cascade=cs_1", False),
        ("cascade=", False),
        ("cascade", False),
        ("cascade=a; cascade=b", False),
        ("Cascade=cs_1", False),
        ("cascade=" + "x" * 600, False),
        (";;;=;", False),
    ],
)
def test_cookies_that_are_not_believed(header: str | None, secure: bool) -> None:
    assert token_in(header, secure=secure) is None
