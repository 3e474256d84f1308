

# The rest of a client: it rents, and asks as the code above says.
import json
import sys
import urllib.request

PORT, KEY = sys.argv[1:]


def call(method, path, body=None):
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}/api/v1{path}", body, method=method)
    request.add_header("Auth", KEY)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


rental = call("POST", "/number/rent", b'{"service":"whatsapp"}')["rental"]
rented_at = time.monotonic()
asked = []


def check_otp():
    asked.append(time.monotonic() - rented_at)
    return call("GET", f"/number/check-otp/{rental['id']}").get("sms_code")


code = wait_for_code(check_otp, rented_at)
print(code or "none", len(asked), round(asked[-1] * 1000))
