"""Operators' logins: what stands for a key, and for how long."""

from actors.logins import OPERATOR_LOGIN_S, OPERATOR_LOGINS_MAX, Logins


def test_a_login_stands_for_its_key_for_half_a_day():
    logins = Logins()
    logins.begin("login", "key", now=100.0)
    assert logins.key_of("login", now=100.0 + OPERATOR_LOGIN_S - 1) == "key"
    assert logins.key_of("login", now=100.0 + OPERATOR_LOGIN_S) == "login"
    assert logins.key_of("login", now=100.0) == "login"  # what was found to be over stays so


def test_what_is_no_login_is_taken_for_a_key():
    assert Logins().key_of("key", now=0.0) == "key"


def test_a_login_that_was_ended_stands_for_nothing_and_may_be_ended_again():
    logins = Logins()
    logins.begin("login", "key", now=0.0)
    logins.end("login")
    logins.end("login")
    assert logins.key_of("login", now=1.0) == "login"


def test_the_oldest_login_makes_room():
    logins = Logins()
    for number in range(OPERATOR_LOGINS_MAX + 1):
        logins.begin(f"login {number}", "key", now=float(number))
    assert logins.key_of("login 0", now=300.0) == "login 0"
    assert logins.key_of("login 1", now=300.0) == "key"
