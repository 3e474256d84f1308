"""Receives the webhooks of an otplab server and verifies each with the library
of Standard Webhooks. Run by `tests/webhook-signatures`; not a client to copy."""

import http.server
import json
import queue
import subprocess
import sys
import threading
import urllib.request

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

KEY = "any-sixty-characters-are-an-account-of-their-own-in-otplab-0"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PATIENCE = 30

posts = queue.Queue()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        posts.put((self.path, dict(self.headers), body))
        # The first attempt of each is not acknowledged, so that there is another.
        event = (self.path, self.headers["webhook-id"])
        first = self.path == "/twice" and event not in self.server.seen
        self.server.seen.add(event)
        self.send_response(500 if first else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


def ask(base, method, path, body=None):
    request = urllib.request.Request(
        base + path,
        method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Auth": KEY, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)


def refused(webhook, body, headers, why):
    try:
        webhook.verify(body, headers)
    except WebhookVerificationError as error:
        assert why in str(error), f"{why!r} was expected: {error}"
        print(f"refused: {error}")
    else:
        raise AssertionError(f"{why!r} was expected, and it was taken")


def main(otplab):
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    receiver.seen = set()
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{receiver.server_port}"
    faults = ["rent: webhook_bad_signature nth 2", "rent: webhook_stale_timestamp nth 3"]
    command = [otplab, "serve", "--listen", "127.0.0.1:0", "--sms-delay", "0s"]
    command += ["--dialect", f"webhook_retry=3x50ms, webhook_signature={SECRET}"]
    command += ["--webhook-url", f"{url}/twice"]
    for fault in faults:
        command += ["--fault", fault]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        base = server.stdout.readline().split()[1]
        verify_all(base, url)
    finally:
        server.terminate()
        server.wait(PATIENCE)


def verify_all(base, url):
    """Of the dialect's secret, and of an endpoint's own that the server made up."""
    made = ask(base, "POST", "/__admin/webhooks/endpoints", {"url": f"{url}/own", "secret": "auto"})
    webhooks = {"/twice": Webhook(SECRET), "/own": Webhook(made["secret"])}
    rentals = [
        ask(base, "POST", "/api/v1/number/rent", {"service": "whatsapp"})["rental"]["id"]
        for _ in range(3)
    ]
    good, bad, stale = rentals
    ids = set()
    # Twice to the one endpoint, once to the other.
    for _ in range(3 * len(rentals)):
        path, headers, body = posts.get(timeout=PATIENCE)
        webhook, rental = webhooks[path], json.loads(body)["rental_id"]
        if rental == good:
            assert webhook.verify(body, headers)["event"] == "sms.received"
            ids.add(headers["webhook-id"])
            refused(webhook, body + b" ", headers, "No matching signature found")
            print(f"taken: {path} {headers['webhook-id']}")
        elif rental == bad:
            refused(webhook, body, headers, "No matching signature found")
        else:
            assert rental == stale
            refused(webhook, body, headers, "Message timestamp too old")
    assert len(ids) == 1, f"one event has one id: {ids}"
    done = ask(base, "POST", "/__admin/wait", {"until": {"for": "webhooks"}, "timeout": "30s"})
    assert done["satisfied"], done


main(sys.argv[1])
