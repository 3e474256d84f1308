#!/usr/bin/env python3
"""The API as its documentation shows it, and nothing more: a plain stub such as
a team writes in an afternoon. It knows nothing of otplab.

usage: stub.py [WEBHOOK_URL]     prints its port; KEYS are any 60 characters
"""

import http.server
import json
import sys
import threading
import time
import urllib.parse
import urllib.request

SMS_AFTER = 0.3
SERVICES = {"whatsapp": ("Whatsapp", "WhatsApp"), "telegram": ("Telegram", "Telegram"), "google": ("Google", "Google")}
WEBHOOK_URL = sys.argv[1] if len(sys.argv) > 1 else None

lock = threading.Lock()
accounts = {}
rentals = {}


class Rental:
    def __init__(self, key, slug):
        self.key, self.slug, self.made = key, slug, time.time()
        self.id = 13322954 + len(rentals)
        self.phone = "1501277%04d" % (4216 + len(rentals))
        self.code = "%06d" % (489201 + 7 * len(rentals))
        self.text = "Your %s verification code is: %s-%s" % (SERVICES[slug][1], self.code[:3], self.code[3:])

    def received(self):
        return time.time() >= self.made + SMS_AFTER

    def post(self):
        event = {
            "event": "sms.received",
            "timestamp": int(time.time()),
            "rental_id": self.id,
            "phone": self.phone,
            "service_slug": self.slug,
            "sms_code": self.code,
            "raw_text": self.text,
        }
        request = urllib.request.Request(WEBHOOK_URL, json.dumps(event).encode(), {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=5).close()


class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body, status=200):
        text = json.dumps(body, indent=4).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def refuse(self, status, message):
        self.answer({"success": False, "message": message}, status)

    def body(self):
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if "json" in (self.headers.get("Content-Type") or ""):
            return json.loads(text or "{}")
        return dict(urllib.parse.parse_qsl(text))

    def handle_request(self):
        body = self.body() if self.command == "POST" else {}
        key = self.headers.get("Auth") or ""
        if len(key) != 60:
            return self.refuse(401, "Unauthenticated.")
        path = urllib.parse.urlparse(self.path).path
        with lock:
            account = accounts.setdefault(key, {"cents": 34050, "rentals": []})
            if (self.command, path) == ("GET", "/api/v1/profile"):
                balance = "%.2f" % (account["cents"] / 100)
                user = {"name": "Merchant Name", "email": "developer@example.com", "balance": balance}
                return self.answer({"success": True, "user": user})
            if (self.command, path) == ("POST", "/api/v1/number/rent"):
                return self.rent(key, account, body.get("service"))
            if self.command == "GET" and path.startswith("/api/v1/number/check-otp/"):
                return self.check(key, path.rsplit("/", 1)[1])
            if (self.command, path) == ("GET", "/api/v1/rentals/history"):
                return self.history(account)
        self.refuse(404, "Not found.")

    do_GET = do_POST = handle_request

    def rent(self, key, account, slug):
        if not isinstance(slug, str) or slug.lower() not in SERVICES:
            return self.refuse(422, "Unknown service.")
        rental = Rental(key, slug.lower())
        rentals[str(rental.id)] = rental
        account["rentals"].append(rental)
        account["cents"] -= 144
        if WEBHOOK_URL:
            threading.Timer(SMS_AFTER, rental.post).start()
        self.answer(
            {
                "success": True,
                "message": "Number rented successfully.",
                "rental": {
                    "id": rental.id,
                    "phone": rental.phone,
                    "service": SERVICES[rental.slug][0],
                    "cost": "$1.44",
                    "expires_in_seconds": 1200,
                },
            }
        )

    def check(self, key, name):
        rental = rentals.get(name)
        if rental is None or rental.key != key:
            return self.refuse(404, "No such rental.")
        if rental.received():
            return self.answer(
                {"success": True, "sms_received": True, "sms_code": rental.code, "full_message": rental.text}
            )
        self.answer(
            {
                "success": True,
                "sms_received": False,
                "message": "Waiting for inbound SMS traffic payload instance...",
            }
        )

    def history(self, account):
        rows = [
            {
                "id": rental.id,
                "phone_number": rental.phone,
                "service_name": SERVICES[rental.slug][1],
                "cost": 1.44,
                "sms_code": rental.code if rental.received() else None,
                "status": "completed" if rental.received() else "pending",
                "created_at": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(rental.made)),
            }
            for rental in account["rentals"]
        ]
        self.answer({"success": True, "current_page": 1, "total_records": len(rows), "data": rows})

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
