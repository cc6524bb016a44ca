"""Who is at the door: addresses, origins and keys, as far as headers can be believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import Server
from web.visitor import (
    Credential,
    allowed_origins,
    credential_of,
    household_of,
    is_at_this_machine,
    may_change,
    networks,
    remote_of,
)

PROXIES = networks(("10.0.0.0/8", "::1"))
COOKIE = Credential("c", by_cookie=True)
BEARER = Credential("b", by_cookie=False)


def test_a_stranger_is_believed_nothing_about_his_address():
    assert remote_of("203.0.113.9", "1.2.3.4", PROXIES) == "203.0.113.9"


def test_a_trusted_proxy_is_believed_the_address_it_added():
    assert remote_of("10.0.0.1", "6.6.6.6, 198.51.100.7", PROXIES) == "198.51.100.7"


def test_a_chain_of_trusted_proxies_is_walked_back_to_the_first_stranger():
    assert remote_of("::1", "6.6.6.6, 198.51.100.7, 10.3.2.1", PROXIES) == "198.51.100.7"


def test_what_is_no_address_is_not_taken_for_one():
    assert remote_of("10.0.0.1", "<script>", PROXIES) == "10.0.0.1"


@pytest.mark.parametrize(
    ("remote", "household"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_who_has_a_network_of_ipv6_is_counted_once(remote, household):
    assert household_of(remote) == household


@given(st.text(), st.text())
def test_no_header_whatever_breaks_the_reading_of_an_address(peer, forwarded):
    assert remote_of(peer, forwarded, PROXIES) == peer


def test_a_key_in_the_header_comes_before_the_cookie():
    assert credential_of({"authorization": "bearer  k1 ", "cookie": "limner=k2"}) == Credential("k1", False)
    assert credential_of({"cookie": "other=1; limner=k2"}) == Credential("k2", True)
    assert credential_of({"authorization": "Basic abc"}).key is None


@given(st.dictionaries(st.sampled_from(["authorization", "cookie"]), st.text()))
def test_no_header_whatever_breaks_the_reading_of_a_key(headers):
    key = credential_of(headers).key
    assert key is None or 0 < len(key) <= 512


def test_a_credential_does_not_show_its_key():
    assert "secret" not in repr(Credential("secret", by_cookie=True))


def test_without_configuration_the_host_asked_for_is_our_origin():
    assert allowed_origins("Limner.example:8080", Server()) == {
        "http://limner.example:8080",
        "https://limner.example:8080",
    }


def test_with_configuration_only_what_it_names_is_our_origin():
    server = Server(allowed_origins=("https://a.example/",), public_url="https://b.example/limner")
    assert allowed_origins("evil.example", server) == {"https://a.example", "https://b.example"}


@pytest.mark.parametrize(
    ("headers", "credential", "allowed"),
    [
        ({}, BEARER, True),
        ({}, COOKIE, False),
        ({"sec-fetch-site": "same-origin"}, COOKIE, True),
        ({"sec-fetch-site": "same-site"}, COOKIE, False),
        ({"origin": "http://h", "host": "h"}, COOKIE, True),
        ({"origin": "http://evil", "host": "h", "sec-fetch-site": "same-origin"}, COOKIE, False),
        ({"origin": "http://evil", "host": "h"}, BEARER, False),
        ({"origin": "null", "host": "h"}, COOKIE, False),
    ],
)
def test_a_change_by_cookie_needs_proof_of_our_own_page(headers, credential, allowed):
    assert may_change(headers, credential, Server()) is allowed


@pytest.mark.parametrize(
    ("peer", "headers", "here"),
    [
        ("127.0.0.1", {"host": "localhost:8080"}, True),
        ("::1", {"host": "[::1]:8080"}, True),
        ("127.0.0.1", {"host": "evil.example:8080"}, False),
        ("127.0.0.1", {"host": "localhost", "x-forwarded-for": "1.2.3.4"}, False),
        ("127.0.0.1", {"host": "localhost", "sec-fetch-site": "cross-site"}, False),
        ("192.0.2.1", {"host": "localhost"}, False),
    ],
)
def test_only_a_person_at_this_machine_is_shown_the_demo(peer, headers, here):
    assert is_at_this_machine(peer, headers) is here
