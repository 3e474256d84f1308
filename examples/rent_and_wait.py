#!/usr/bin/env python3
"""Rent a number, wait for its code by polling and by webhook, look it up.

usage: rent_and_wait.py BASE_URL [WEBHOOK_PORT]

Start the fake first:

    otplab serve --sms-delay 1s --webhook-url http://127.0.0.1:9090/sms
    python3 examples/rent_and_wait.py http://127.0.0.1:8080 9090
"""

import http.server
import json
import queue
import sys
import threading
import time

import requests

KEY = "any-sixty-characters-are-an-account-of-their-own-in-otplab-1"


def listen(port, events):
    """Collects webhook events from now on."""

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            events.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = http.server.HTTPServer(("127.0.0.1", port), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def wait_for_code(api, base, rental):
    """Polls until the code is there or the rental has ended."""
    deadline = time.monotonic() + rental["expires_in_seconds"]
    while time.monotonic() < deadline:
        answer = api.get(f"{base}/number/check-otp/{rental['id']}").json()
        if answer["sms_received"]:
            return answer
        if not answer["success"]:
            break
        time.sleep(0.2)
    raise TimeoutError(f"no code for rental {rental['id']}")


def show(title, answer):
    print(f"{title}\n{json.dumps(answer, indent=4)}\n")


def main():
    base = f"{sys.argv[1]}/api/v1"
    events = queue.Queue()
    if len(sys.argv) > 2:
        listen(int(sys.argv[2]), events)
    api = requests.Session()
    api.headers["Auth"] = KEY

    show("profile", api.get(f"{base}/profile").json())
    rent = api.post(f"{base}/number/rent", json={"service": "whatsapp"}).json()
    show("rent", rent)
    received = wait_for_code(api, base, rent["rental"])
    show("check-otp", received)
    history = api.get(f"{base}/rentals/history").json()
    show("history", history)
    assert history["data"][0]["sms_code"] == received["sms_code"]
    if len(sys.argv) > 2:
        event = events.get(timeout=5)
        while event["rental_id"] != rent["rental"]["id"]:
            event = events.get(timeout=5)
        show("webhook", event)
        assert event["raw_text"] == received["full_message"]


main()
