//! Signatures of webhooks, in two manners: HMAC-SHA256 of the very bytes that are
//! posted, and that of Standard Webhooks, which signs an id and the time with them.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_with::DeserializeFromStr;
use sha2::Sha256;

/// Where the plain signature stands.
pub(crate) const HEADER: &str = "x-signature";

/// Where the time of the attempt stands, in seconds since 1970. It is not signed.
pub(crate) const TIMESTAMP_HEADER: &str = "x-timestamp";

/// The headers of Standard Webhooks: the event's name, which all its attempts
/// share; the time of the attempt; the signature of both and the body.
pub(crate) const STANDARD_HEADERS: [&str; 3] =
    ["webhook-id", "webhook-timestamp", "webhook-signature"];

/// What a secret of Standard Webhooks begins with.
const PREFIX: &str = "whsec_";

/// The key of an endpoint for Standard Webhooks: 24 to 64 bytes, written as
/// `whsec_` and Base64.
#[derive(Clone, PartialEq, Eq, DeserializeFromStr)]
pub struct WebhookSecret(Box<[u8]>);

/// Not a secret of Standard Webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not a secret of Standard Webhooks; write whsec_ and 24 to 64 bytes in Base64, as \
     `printf whsec_; head -c 32 /dev/urandom | base64` does"
)]
pub struct WebhookSecretError;

impl WebhookSecret {
    /// Bytes that a made-up secret has.
    pub(crate) const LENGTH: usize = 32;

    /// The secret with these bytes.
    pub(crate) fn of(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes.into())
    }

    /// Whether a text means to be one.
    pub(crate) fn is_meant(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// As it is written. For whoever made it, and nobody else.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// The value of the signature header.
    pub(crate) fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let mut mac = keyed(&self.0);
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// Shows no secret.
impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

impl FromStr for WebhookSecret {
    type Err = WebhookSecretError;

    fn from_str(text: &str) -> Result<Self, WebhookSecretError> {
        let coded = text.strip_prefix(PREFIX).ok_or(WebhookSecretError)?;
        let bytes = STANDARD.decode(coded).map_err(|_| WebhookSecretError)?;
        if !(24..=64).contains(&bytes.len()) {
            return Err(WebhookSecretError);
        }
        Ok(Self(bytes.into()))
    }
}

/// The value of the plain signature header: `sha256=` and hexadecimal digits.
pub(crate) fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = keyed(secret.as_bytes());
    mac.update(body);
    let mut text = String::from("sha256=");
    for byte in mac.finalize().into_bytes() {
        text += &format!("{byte:02x}");
    }
    text
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("invariant: HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_the_standard_says() {
        // RFC 4231, test case 2.
        assert_eq!(
            sign("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn a_secret_reads_back_and_hides() {
        let text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let secret: WebhookSecret = text.parse().expect(text);
        assert_eq!(secret.reveal(), text);
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
        for wrong in [
            "",
            "whsec_",
            "whsec_c2hvcnQ=",
            "whsec_!",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            assert_eq!(wrong.parse::<WebhookSecret>(), Err(WebhookSecretError));
        }
    }

    #[test]
    fn id_time_and_body_are_signed_together() {
        // As another program (Python's hmac) computes it.
        let secret: WebhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
            .parse()
            .expect("a secret");
        let signed = secret.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
