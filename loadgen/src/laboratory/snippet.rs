//! A schedule as code, ready for a client in one of four languages. The moments
//! count from the rent, so that a slow answer does not shift what follows, and
//! polls that were missed meanwhile are skipped, but never the last.

/// The moments as a list in any of the languages.
fn list(schedule: &[f64]) -> String {
    let moments: Vec<_> = schedule.iter().map(|poll| moment(*poll)).collect();
    moments.join(", ")
}

/// Milliseconds are enough for a client.
fn moment(seconds: f64) -> String {
    let text = format!("{seconds:.3}");
    let text = text.trim_end_matches('0');
    match text.strip_suffix('.') {
        Some(whole) => format!("{whole}.0"),
        None => text.to_owned(),
    }
}

/// A client in Python.
pub fn python(schedule: &[f64]) -> String {
    format!(
        "import time

SCHEDULE = [{}]  # seconds after the rent


def wait_for_code(check_otp, rented_at):
    \"\"\"Asks on schedule; rented_at is time.monotonic() at the rent. None: no code came.\"\"\"
    for number, due in enumerate(SCHEDULE, 1):
        wait = rented_at + due - time.monotonic()
        if wait < 0 and number < len(SCHEDULE):
            continue
        time.sleep(max(0.0, wait))
        code = check_otp()
        if code is not None:
            return code
    return None
",
        list(schedule)
    )
}

/// A client in JavaScript.
pub fn javascript(schedule: &[f64]) -> String {
    format!(
        "const SCHEDULE = [{}]; // seconds after the rent

// Asks on schedule; rentedAt is performance.now() at the rent. null: no code came.
async function waitForCode(checkOtp, rentedAt) {{
  for (const [index, due] of SCHEDULE.entries()) {{
    const wait = rentedAt + due * 1000 - performance.now();
    if (wait < 0 && index < SCHEDULE.length - 1) continue;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, wait)));
    const code = await checkOtp();
    if (code !== null) return code;
  }}
  return null;
}}
",
        list(schedule)
    )
}

/// A client in Go.
pub fn go(schedule: &[f64]) -> String {
    format!(
        "// schedule holds the moments to ask, in seconds after the rent.
var schedule = []float64{{{}}}

// waitForCode asks on schedule. Without an error, an empty code means that none came.
func waitForCode(ctx context.Context, checkOTP func() (string, error), rentedAt time.Time) (string, error) {{
	for index, due := range schedule {{
		wait := time.Until(rentedAt.Add(time.Duration(due * float64(time.Second))))
		if wait < 0 && index < len(schedule)-1 {{
			continue
		}}
		select {{
		case <-ctx.Done():
			return \"\", ctx.Err()
		case <-time.After(wait):
		}}
		code, err := checkOTP()
		if err != nil || code != \"\" {{
			return code, err
		}}
	}}
	return \"\", nil
}}
",
        list(schedule)
    )
}

/// A client in Rust, on tokio.
pub fn rust(schedule: &[f64]) -> String {
    format!(
        "/// When to ask, in seconds after the rent.
const SCHEDULE: [f64; {}] = [{}];

/// Asks on schedule; `None` means that no code came.
async fn wait_for_code<F>(mut check_otp: impl FnMut() -> F, rented_at: tokio::time::Instant) -> Option<String>
where
    F: std::future::Future<Output = Option<String>>,
{{
    for (index, due) in SCHEDULE.into_iter().enumerate() {{
        let due = rented_at + std::time::Duration::from_secs_f64(due);
        if due < tokio::time::Instant::now() && index + 1 < SCHEDULE.len() {{
            continue;
        }}
        tokio::time::sleep_until(due).await;
        if let Some(code) = check_otp().await {{
            return Some(code);
        }}
    }}
    None
}}
",
        schedule.len(),
        list(schedule)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_gets_the_same_moments() {
        let schedule = [0.5, 8.3204, 120.0];
        for text in [
            python(&schedule),
            javascript(&schedule),
            go(&schedule),
            rust(&schedule),
        ] {
            assert!(text.contains("0.5, 8.32, 120.0"), "{text}");
        }
    }
}
