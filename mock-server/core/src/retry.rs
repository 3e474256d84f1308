//! When a webhook that was not acknowledged is posted again. Attempts are
//! spaced from begin to begin, however long the receiver takes to fail.

use std::time::Duration;

use crate::dialect::WebhookRetry;

/// The default of CLAUSES part 2.
const ATTEMPTS: u32 = 5;
const SPACING: Duration = Duration::from_secs(15);

/// Seconds after each attempt, as Plivo documents them.
const PLIVO: [u64; 3] = [60, 120, 240];

/// Seconds after each attempt, as Sendly documents them.
const SENDLY: [u64; 5] = [60, 300, 1800, 7200, 86_400];

/// Seconds after each attempt, as Svix documents them, whose signatures became
/// Standard Webhooks.
const SVIX: [u64; 7] = [5, 300, 1800, 7200, 18_000, 36_000, 36_000];

/// Seconds, as Vonage documents them: the first, the longest, and all together.
const VONAGE_FIRST: u64 = 5;
const VONAGE_LONGEST: u64 = 15 * 60;
const VONAGE_ALL: u64 = 24 * 3600;

/// Failures in a row after which an endpoint is disabled, as SMSPool documents them.
const FAILURES: u32 = 50;

impl WebhookRetry {
    /// How long after attempt `number`, from 1, the next begins; `None` if it was
    /// the last.
    pub(crate) fn after(self, number: u32) -> Option<Duration> {
        match self {
            Self::None => None,
            Self::Spaced { attempts, spacing } => (number < attempts).then_some(spacing),
            Self::DisableAfter50 => (number < ATTEMPTS).then_some(SPACING),
            Self::Plivo => listed(&PLIVO, number),
            Self::Sendly => listed(&SENDLY, number),
            Self::Svix => listed(&SVIX, number),
            Self::Vonage => {
                let passed: u64 = (1..number).map(vonage).sum();
                let next = vonage(number);
                (passed + next <= VONAGE_ALL).then_some(Duration::from_secs(next))
            }
        }
    }

    /// Whether so many failures in a row are the end of all webhooks.
    pub(crate) const fn disables_after(self, failures: u32) -> bool {
        matches!(self, Self::DisableAfter50) && failures >= FAILURES
    }
}

fn listed(seconds: &[u64], number: u32) -> Option<Duration> {
    let seconds = seconds.get(number as usize - 1)?;
    Some(Duration::from_secs(*seconds))
}

fn vonage(number: u32) -> u64 {
    // From the ninth on it is the longest, so that this cannot overflow.
    (VONAGE_FIRST << (number - 1).min(8)).min(VONAGE_LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds from the first attempt to each, at most six, and how many there are.
    fn attempts(retry: WebhookRetry) -> (Vec<u64>, usize) {
        let delays = (1..).map_while(|number| retry.after(number));
        let mut moments = vec![0];
        moments.extend(delays.scan(0, |passed, delay| {
            *passed += delay.as_secs();
            Some(*passed)
        }));
        let count = moments.len();
        moments.truncate(6);
        (moments, count)
    }

    #[test]
    fn schedules_are_those_of_the_services_that_they_are_named_after() {
        assert_eq!(attempts(WebhookRetry::None), (vec![0], 1));
        let default = WebhookRetry::Spaced {
            attempts: 5,
            spacing: SPACING,
        };
        assert_eq!(attempts(default), (vec![0, 15, 30, 45, 60], 5));
        assert_eq!(attempts(WebhookRetry::DisableAfter50), attempts(default));
        assert_eq!(attempts(WebhookRetry::Plivo), (vec![0, 60, 180, 420], 4));
        let (moments, count) = attempts(WebhookRetry::Sendly);
        assert_eq!(moments, [0, 60, 360, 2160, 9360, 95_760]);
        assert_eq!(count, 6);
        let (moments, count) = attempts(WebhookRetry::Svix);
        assert_eq!(moments, [0, 5, 305, 2105, 9305, 27_305]);
        assert_eq!(count, 8);
        let (moments, count) = attempts(WebhookRetry::Vonage);
        assert_eq!(moments, [0, 5, 15, 35, 75, 155]);
        // Eight doublings take 1,275 s; then there is one every 900 s.
        assert_eq!(count, 1 + 8 + (86_400 - 1275) / 900);
    }
}
