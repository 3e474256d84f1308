
// The rest of a client: it rents, and asks as the code above says.
const [port, key] = process.argv.slice(2);
const call = async (method, path, body) => {
  const headers = { Auth: key, "Content-Type": "application/json" };
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, { method, headers, body });
  return answer.json();
};

const { rental } = await call("POST", "/number/rent", '{"service":"whatsapp"}');
const rentedAt = performance.now();
const asked = [];
const code = await waitForCode(async () => {
  asked.push(performance.now() - rentedAt);
  return (await call("GET", `/number/check-otp/${rental.id}`)).sms_code ?? null;
}, rentedAt);
console.log(code ?? "none", asked.length, Math.round(asked.at(-1)));
