"""A client of the CodySMS API, tested against otplab: pytest and the standard
library. `OTPLAB` names the program if it is not on the PATH."""

import hashlib
import json
import os
import subprocess
import urllib.error
import urllib.request

import pytest


@pytest.fixture(scope="session")
def server():
    """One server for all tests, on a free port; its time stands still."""
    program = os.environ.get("OTPLAB", "otplab")
    arguments = ["serve", "--listen", "127.0.0.1:0", "--sms-delay", "5s", "--time-scale", "0"]
    process = subprocess.Popen(
        [program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    yield process.stdout.readline().split()[1]  # ready http://127.0.0.1:43210
    process.terminate()
    assert process.wait(timeout=10) == 0


class Account:
    """A key of its own for each test, so that no test sees another."""

    def __init__(self, server, name):
        self.server, self.key = server, hashlib.sha256(name.encode()).hexdigest()[:60]

    def ask(self, method, path, body=None):
        """Status and JSON of an answer."""
        request = urllib.request.Request(
            self.server + path,
            method=method,
            headers={"Auth": self.key, "Content-Type": "application/json"},
            data=None if body is None else json.dumps(body).encode(),
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)

    def control(self, path, body=None):
        """Moves this account's time, sends it an SMS, breaks something …"""
        status, answer = self.ask("POST", "/__admin/" + path, body)
        assert status == 200, answer
        return answer


@pytest.fixture
def account(server, request):
    return Account(server, request.node.nodeid)


# The client under test would be here; these two lines stand for it.
def rent(account):
    return account.ask("POST", "/api/v1/number/rent", {"service": "whatsapp"})


def poll(account, rental):
    return account.ask("GET", f"/api/v1/number/check-otp/{rental}")


def test_the_code_comes_after_five_seconds(account):
    rental = rent(account)[1]["rental"]["id"]
    account.control("clock/advance", {"duration": "4s"})
    assert poll(account, rental)[1]["sms_received"] is False
    account.control("clock/advance", {"duration": "1s"})
    answer = poll(account, rental)[1]
    assert answer["sms_received"] is True
    assert answer["sms_code"].isdigit()


def test_an_sms_may_say_what_the_test_wants(account):
    rental = rent(account)[1]["rental"]["id"]
    account.control(f"rentals/{rental}/sms", {"code": "0042"})
    assert poll(account, rental)[1]["sms_code"] == "0042"


def test_a_rental_that_ends_without_an_sms_is_refunded(account):
    before = account.ask("GET", "/api/v1/profile")[1]["user"]["balance"]
    rental = rent(account)[1]["rental"]["id"]
    account.control(f"rentals/{rental}/expire")
    assert poll(account, rental)[1]["success"] is False
    assert account.ask("GET", "/api/v1/profile")[1]["user"]["balance"] == before


def test_a_lost_server_is_met_once_and_seen_in_the_journal(account):
    account.control("faults", {"rule": "rent: status(503) first 1"})
    assert rent(account)[0] == 503
    assert rent(account)[0] == 200
    wanted = {"match": {"operation": "rent"}, "times": {"exactly": 2}}
    assert account.control("verify", wanted)["result"] == "pass"
