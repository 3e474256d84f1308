// A client of the CodySMS API, tested against otplab: node:test and no
// dependency. OTPLAB names the program if it is not on the PATH.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";

let server, process_;

// One server for all tests, on a free port; its time stands still.
before(async () => {
  const program = process.env.OTPLAB ?? "otplab";
  const options = ["--listen", "127.0.0.1:0", "--sms-delay", "5s", "--time-scale", "0"];
  process_ = spawn(program, ["serve", ...options], { stdio: ["ignore", "pipe", "ignore"] });
  const [line] = await once(createInterface({ input: process_.stdout }), "line");
  server = line.split(" ")[1]; // ready http://127.0.0.1:43210
});

after(async () => {
  process_.kill("SIGTERM");
  assert.equal((await once(process_, "exit"))[0], 0);
});

// A key of its own for each test, so that no test sees another.
class Account {
  constructor(name) {
    this.key = createHash("sha256").update(name).digest("hex").slice(0, 60);
  }

  // Status and JSON of an answer.
  async ask(method, path, body) {
    const answer = await fetch(server + path, {
      method,
      headers: { auth: this.key, "content-type": "application/json" },
      body: body && JSON.stringify(body),
    });
    return [answer.status, await answer.json()];
  }

  // Moves this account's time, sends it an SMS, breaks something …
  async control(path, body) {
    const [status, answer] = await this.ask("POST", "/__admin/" + path, body);
    assert.equal(status, 200, JSON.stringify(answer));
    return answer;
  }
}

// The client under test would be here; these two lines stand for it.
const rent = (account) => account.ask("POST", "/api/v1/number/rent", { service: "whatsapp" });
const poll = (account, rental) => account.ask("GET", `/api/v1/number/check-otp/${rental}`);

test("the code comes after five seconds", async (t) => {
  const account = new Account(t.name);
  const rental = (await rent(account))[1].rental.id;
  await account.control("clock/advance", { duration: "4s" });
  assert.equal((await poll(account, rental))[1].sms_received, false);
  await account.control("clock/advance", { duration: "1s" });
  const answer = (await poll(account, rental))[1];
  assert.equal(answer.sms_received, true);
  assert.match(answer.sms_code, /^\d+$/);
});

test("an SMS may say what the test wants", async (t) => {
  const account = new Account(t.name);
  const rental = (await rent(account))[1].rental.id;
  await account.control(`rentals/${rental}/sms`, { code: "0042" });
  assert.equal((await poll(account, rental))[1].sms_code, "0042");
});

test("a rental that ends without an SMS is refunded", async (t) => {
  const account = new Account(t.name);
  const balance = async () => (await account.ask("GET", "/api/v1/profile"))[1].user.balance;
  const opening = await balance();
  const rental = (await rent(account))[1].rental.id;
  await account.control(`rentals/${rental}/expire`);
  assert.equal((await poll(account, rental))[1].success, false);
  assert.equal(await balance(), opening);
});

test("a lost server is met once and seen in the journal", async (t) => {
  const account = new Account(t.name);
  await account.control("faults", { rule: "rent: status(503) first 1" });
  assert.equal((await rent(account))[0], 503);
  assert.equal((await rent(account))[0], 200);
  const wanted = { match: { operation: "rent" }, times: { exactly: 2 } };
  assert.equal((await account.control("verify", wanted)).result, "pass");
});
