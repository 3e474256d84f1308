//! Signatures of webhooks: HMAC-SHA256 of the very bytes that are posted.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Where the signature stands.
pub(crate) const HEADER: &str = "x-signature";

/// Where the time of the attempt stands, in seconds since 1970. It is not signed.
pub(crate) const TIMESTAMP_HEADER: &str = "x-timestamp";

/// The value of the signature header: `sha256=` and hexadecimal digits.
pub(crate) fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .expect("invariant: HMAC takes keys of any length");
    mac.update(body);
    let mut text = String::from("sha256=");
    for byte in mac.finalize().into_bytes() {
        text += &format!("{byte:02x}");
    }
    text
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
}
