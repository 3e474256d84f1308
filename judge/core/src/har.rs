//! Recorded traffic (HAR 1.2) as evidence. Nothing is sent; what the recording
//! does not show is not judged.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::evidence::{Answer, Event, Evidence, Exchange, Given, Who};
use crate::story::PREFIX;

/// Not a recording that can be judged.
#[derive(Debug, thiserror::Error)]
pub enum HarError {
    /// Not HAR.
    #[error("not a HAR file: {0}")]
    Malformed(String),
    /// A time that is none.
    #[error("entry {0}: {1:?} is not a time like 2026-06-11T03:20:14.123Z")]
    Time(usize, String),
    /// Nothing of this API.
    #[error("no request in it is about this API: none has {PREFIX} in its path")]
    Nothing,
}

#[derive(Deserialize)]
struct Har {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    started_date_time: String,
    #[serde(default)]
    time: f64,
    request: Request,
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Header>,
    post_data: Option<Body>,
}

#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    status: i64,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    content: Body,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    mime_type: Option<String>,
    text: Option<String>,
    encoding: Option<String>,
}

impl Body {
    fn bytes(&self) -> Vec<u8> {
        let text = self.text.as_deref().unwrap_or_default();
        match self.encoding.as_deref() {
            Some("base64") => STANDARD.decode(text).unwrap_or_default(),
            _ => text.as_bytes().to_vec(),
        }
    }
}

/// Reads a recording.
///
/// # Errors
///
/// [`HarError`] if it is none, or of something else.
pub fn evidence(text: &str) -> Result<Evidence, HarError> {
    let har: Har = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| HarError::Malformed(error.to_string()))?;
    let mut entries = Vec::new();
    for (place, entry) in har.log.entries.into_iter().enumerate() {
        let at = seconds(&entry.started_date_time);
        let at = at.ok_or_else(|| HarError::Time(place + 1, entry.started_date_time.clone()))?;
        entries.push((at, entry));
    }
    entries.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let began = entries.first().map(|(at, _)| *at);
    let mut evidence = Evidence {
        began,
        given: Given {
            capture: true,
            rents: true,
            ..Given::default()
        },
        ..Evidence::default()
    };
    // Recorders leave secrets out: then every request had the key.
    let keyed = entries
        .iter()
        .any(|(_, entry)| key(&entry.request).is_some());
    for (at, entry) in entries {
        let sent = Duration::try_from_secs_f64(at - began.unwrap_or(at)).unwrap_or_default();
        take(&mut evidence, entry, (sent, keyed));
    }
    if evidence.exchanges.is_empty() {
        return Err(HarError::Nothing);
    }
    evidence.given.second_key = evidence.secrets.len() > 1;
    evidence.given.webhooks = !evidence.events.is_empty();
    evidence.given.key_lengths = evidence.secrets.iter().map(String::len).collect();
    Ok(evidence)
}

fn key(request: &Request) -> Option<&str> {
    let found = request
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("auth"));
    found.map(|header| header.value.as_str())
}

fn take(evidence: &mut Evidence, entry: Entry, (sent, keyed): (Duration, bool)) {
    let Entry {
        request,
        response,
        time,
        ..
    } = entry;
    let body = request
        .post_data
        .as_ref()
        .map(Body::bytes)
        .unwrap_or_default();
    let took = Duration::try_from_secs_f64(time / 1000.0).unwrap_or_default();
    let target = path(&request.url);
    if !target.contains(PREFIX) {
        if request.method == "POST" && String::from_utf8_lossy(&body).contains("\"rental_id\"") {
            evidence.events.push(Event {
                method: request.method,
                target,
                headers: lower(request.headers),
                body,
                earliest: sent,
                latest: sent,
            });
        }
        return;
    }
    let who = who(evidence, key(&request), keyed);
    let answer = Answer {
        status: u16::try_from(response.status).unwrap_or(0),
        headers: lower(response.headers),
        body: response.content.bytes(),
    };
    evidence.exchanges.push(Exchange {
        who,
        method: request.method,
        target,
        content_type: request.post_data.and_then(|body| body.mime_type),
        body,
        sent,
        answered: sent.saturating_add(took),
        answer: if answer.status == 0 {
            Err("none was recorded".to_owned())
        } else {
            Ok(answer)
        },
    });
}

fn who(evidence: &mut Evidence, key: Option<&str>, keyed: bool) -> Who {
    let Some(key) = key else {
        return if keyed { Who::Nobody } else { Who::First };
    };
    if key.starts_with("Bearer ") {
        evidence
            .secrets
            .push(key.trim_start_matches("Bearer ").to_owned());
        return Who::OtherScheme("`Auth: Bearer KEY`");
    }
    let place = evidence
        .secrets
        .iter()
        .position(|secret| secret == key)
        .unwrap_or_else(|| {
            evidence.secrets.push(key.to_owned());
            evidence.secrets.len() - 1
        });
    match place {
        0 => Who::First,
        1 => Who::Second,
        _ => Who::Stranger,
    }
}

fn lower(headers: Vec<Header>) -> Vec<(String, String)> {
    let headers = headers.into_iter();
    headers
        .map(|header| (header.name.to_ascii_lowercase(), header.value))
        .collect()
}

/// Path and query of an URL.
fn path(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |start| &rest[start..]);
    path.split('#').next().unwrap_or(path).to_owned()
}

/// A time of ISO 8601, like `2026-06-11T04:23:01Z`, as seconds since 1970.
#[must_use]
pub fn seconds(text: &str) -> Option<f64> {
    let (date, time) = text.split_once('T')?;
    let mut date = date.split('-').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let civil = (0..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    let zone = time.find(['Z', '+', '-']).filter(|_| civil)?;
    let (time, zone) = time.split_at(zone);
    let mut time = time.split(':');
    let (hour, minute): (f64, f64) = (time.next()?.parse().ok()?, time.next()?.parse().ok()?);
    let second: f64 = time.next().unwrap_or("0").parse().ok()?;
    let offset = match zone.strip_prefix(['+', '-']) {
        Some(offset) => {
            let digits = offset.replace(':', "");
            let (hours, minutes) = digits.split_at_checked(2)?;
            let size =
                hours.parse::<f64>().ok()? * 3600.0 + minutes.parse::<f64>().unwrap_or(0.0) * 60.0;
            if zone.starts_with('-') { -size } else { size }
        }
        None => 0.0,
    };
    let days = days((year, month, day)) as f64;
    Some(days * 86_400.0 + hour * 3600.0 + minute * 60.0 + second - offset)
}

/// Days since 1970 of a day in the Gregorian calendar, counted in years that begin in March.
const fn days((year, month, day): (i64, i64, i64)) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_zone() {
        let expected = 1_781_151_781.0;
        for text in [
            "2026-06-11T04:23:01Z",
            "2026-06-11T04:23:01.000Z",
            "2026-06-11T06:23:01+02:00",
            "2026-06-11T03:23:01-0100",
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in [
            "yesterday",
            "2026-13-01T00:00:00Z",
            "9223372036854775807-01-01T00:00:00Z",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
        assert_eq!(
            path("https://codysms.com/api/v1/profile?x=1#y"),
            "/api/v1/profile?x=1"
        );
    }
}
