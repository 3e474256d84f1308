#!/usr/bin/env python3
"""A client as services want it, with the standard library only: no rule of
`otplab serve --lint deny` finds anything about it.

usage: good_client.py BASE_URL [WEBHOOK_PORT [TIME_SCALE]]

    otplab serve --lint deny --webhook-url http://127.0.0.1:9090/sms
    python3 examples/good_client.py http://127.0.0.1:8080 9090
"""

import http.client
import http.server
import json
import sys
import threading
import time
import urllib.parse

KEY = "any-sixty-characters-are-an-account-of-their-own-in-otplab-3"
SCALE = float(sys.argv[3]) if len(sys.argv) > 3 else 1.0


def pause(seconds):
    """Waits as long as that is on the server's clock."""
    time.sleep(seconds / SCALE)


class Receiver(http.server.BaseHTTPRequestHandler):
    """Answers first; an event that is known already is taken again."""

    rentals = set()
    came = threading.Event()

    def do_POST(self):
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()
        if event.get("event") == "sms.received":
            self.rentals.add(event["rental_id"])
            self.came.set()

    def log_message(self, *arguments):
        pass


class Api:
    """One connection, kept open; pauses that grow, or as long as the server says."""

    def __init__(self, base):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(base).netloc, timeout=30)

    def ask(self, method, path, body=None):
        """Status and JSON of the first answer that is no 429 and no 5xx."""
        wait = 2.0
        while True:
            headers = {"Auth": KEY, "Accept": "application/json"}
            if body is not None:
                headers["Content-Type"] = "application/json"
            text = None if body is None else json.dumps(body)
            self.connection.request(method, f"/api/v1{path}", text, headers)
            answer = self.connection.getresponse()
            content = answer.read()
            if answer.status != 429 and answer.status < 500:
                return answer.status, json.loads(content)
            # Only what is known to have made nothing may be sent again unseen.
            if method == "POST" and answer.status not in (429, 503):
                raise RuntimeError(f"it is unknown whether a number was rented: {answer.status}")
            told = answer.getheader("Retry-After")
            pause(max(wait, float(told) if told and told.isdigit() else 0.0))
            wait = min(wait * 2, 60.0)


def code(api, rental):
    """The code, or None when the rental has ended without one."""
    deadline = time.monotonic() + rental["expires_in_seconds"] / SCALE
    while time.monotonic() < deadline:
        status, answer = api.ask("GET", f"/number/check-otp/{rental['id']}")
        if answer.get("sms_received"):
            return answer["sms_code"]
        if status != 200 or not answer["success"]:
            return None
        # An event is not believed: it only brings the next poll forward.
        Receiver.came.wait(5.0 / SCALE)
        Receiver.came.clear()
    return None


def main():
    if len(sys.argv) > 2 and int(sys.argv[2]):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    api = Api(sys.argv[1])
    for _ in range(2):
        status, rent = api.ask("POST", "/number/rent", {"service": "whatsapp"})
        if status != 200:
            sys.exit(f"no number: {rent['message']}")
        print(rent["rental"]["id"], code(api, rent["rental"]))


main()
