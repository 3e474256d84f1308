//! The services one can rent a number for.
//!
//! Each has three spellings, because the documentation has: the slug in
//! requests and webhooks (`whatsapp`), one in rent (`Whatsapp`) and one in the
//! history (`WhatsApp`). Prices and message texts are our own inventions;
//! `whatsapp` has the documentation's.

use std::fmt;
use std::str::FromStr;

use serde_with::DeserializeFromStr;

use crate::money::Cents;

/// A service that sends one-time passwords.
#[derive(Debug, PartialEq, Eq)]
pub struct Service {
    /// In requests and webhooks.
    pub slug: &'static str,
    /// In the answer of rent.
    pub rent_name: &'static str,
    /// In the history.
    pub history_name: &'static str,
    /// Of one rental.
    pub price: Cents,
    /// How many digits its codes have: 4 to 8.
    pub code_digits: u32,
    /// The SMS, with `{code}` where the code goes.
    pub template: &'static str,
}

impl Service {
    /// The service with this slug, in any case (CLAUSES part 2).
    pub fn find(slug: &str) -> Option<&'static Self> {
        SERVICES
            .iter()
            .find(|service| service.slug.eq_ignore_ascii_case(slug))
    }

    /// The SMS that carries `code`, written as the documentation writes it:
    /// `489201` becomes `489-201`. Codes of odd or four digits stay whole.
    pub fn message(&self, code: &str) -> String {
        let even = code.len() >= 6 && code.len().is_multiple_of(2);
        // A code that a tester made up may have no middle between two letters.
        let written = match code.split_at_checked(code.len() / 2) {
            Some((first, second)) if even => format!("{first}-{second}"),
            _ => code.to_owned(),
        };
        self.template.replace("{code}", &written)
    }
}

/// No service has this slug.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no service is named {slug:?}{}; `whatsapp`, `telegram` and `google` are three of {}", nearest(slug), SERVICES.len())]
pub struct UnknownService {
    slug: String,
}

/// `, did you mean "whatsapp"`, if some slug begins alike.
fn nearest(slug: &str) -> String {
    let alike = |service: &&Service| {
        let shared = service
            .slug
            .bytes()
            .zip(slug.bytes())
            .take_while(|(ours, theirs)| ours.eq_ignore_ascii_case(theirs));
        shared.count()
    };
    SERVICES
        .iter()
        .max_by_key(alike)
        .filter(|service| alike(service) >= 3)
        .map(|service| format!(", did you mean {:?}", service.slug))
        .unwrap_or_default()
}

/// A row of the table by reference: what a scenario names.
#[derive(Clone, Copy, PartialEq, Eq, DeserializeFromStr)]
pub struct ServiceName(pub &'static Service);

impl fmt::Debug for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.slug)
    }
}

impl FromStr for ServiceName {
    type Err = UnknownService;

    fn from_str(slug: &str) -> Result<Self, UnknownService> {
        Service::find(slug).map(Self).ok_or_else(|| UnknownService {
            slug: slug.to_owned(),
        })
    }
}

const fn service(
    slug: &'static str,
    rent_name: &'static str,
    history_name: &'static str,
    price: i64,
    code_digits: u32,
    template: &'static str,
) -> Service {
    Service {
        slug,
        rent_name,
        history_name,
        price: Cents(price),
        code_digits,
        template,
    }
}

/// The service table: what can be rented, in alphabetical order of the slugs
/// after the documentation's three examples.
#[rustfmt::skip]
pub static SERVICES: [Service; 36] = [
    service("whatsapp", "Whatsapp", "WhatsApp", 144, 6, "Your WhatsApp verification code is: {code}"),
    service("telegram", "Telegram", "Telegram", 168, 5, "Telegram login: {code} is your number. Keep it to yourself."),
    service("google", "Google", "Google", 96, 6, "{code} confirms that this phone belongs to your Google account."),
    service("airbnb", "Airbnb", "Airbnb", 72, 6, "To finish signing in to Airbnb, enter {code}."),
    service("aliexpress", "Aliexpress", "AliExpress", 44, 6, "AliExpress asks for this number: {code}"),
    service("amazon", "Amazon", "Amazon", 81, 6, "Amazon sign-in attempt. Enter {code} if it is yours."),
    service("apple", "Apple", "Apple", 118, 6, "Use {code} for your Apple account."),
    service("binance", "Binance", "Binance", 132, 6, "Binance will never call you about this code: {code}"),
    service("bumble", "Bumble", "Bumble", 87, 6, "Welcome to Bumble! Enter {code} to go on."),
    service("coinbase", "Coinbase", "Coinbase", 126, 7, "Coinbase two-step code: {code}. Nobody at Coinbase needs it."),
    service("discord", "Discord", "Discord", 66, 6, "Discord wants to know it is you: {code}"),
    service("doordash", "Doordash", "DoorDash", 57, 6, "DoorDash: {code} unlocks your account."),
    service("ebay", "Ebay", "eBay", 63, 6, "eBay: {code} is the number to type."),
    service("facebook", "Facebook", "Facebook", 78, 8, "Facebook needs {code} to let you in."),
    service("github", "Github", "GitHub", 52, 6, "GitHub second factor: {code}"),
    service("grindr", "Grindr", "Grindr", 90, 6, "Grindr: type {code} to continue."),
    service("instagram", "Instagram", "Instagram", 75, 6, "Instagram: {code}. Use it within ten minutes."),
    service("linkedin", "Linkedin", "LinkedIn", 61, 6, "LinkedIn asked you for a number. It is {code}."),
    service("lyft", "Lyft", "Lyft", 58, 4, "Lyft ride code {code}"),
    service("mercari", "Mercari", "Mercari", 49, 6, "Mercari: confirm with {code}"),
    service("microsoft", "Microsoft", "Microsoft", 69, 7, "Microsoft account security: {code}"),
    service("netflix", "Netflix", "Netflix", 55, 6, "Netflix: {code} was requested for this phone."),
    service("nike", "Nike", "Nike", 48, 6, "Nike: your number for today is {code}"),
    service("openai", "Openai", "OpenAI", 99, 6, "OpenAI sign-up: enter {code}"),
    service("paypal", "Paypal", "PayPal", 123, 6, "PayPal: {code} approves this login."),
    service("reddit", "Reddit", "Reddit", 46, 6, "Reddit: {code} proves it is you."),
    service("shopify", "Shopify", "Shopify", 54, 6, "Shopify admin login: {code}"),
    service("signal", "Signal", "Signal", 105, 6, "SIGNAL registration: {code}. Keep it secret."),
    service("snapchat", "Snapchat", "Snapchat", 84, 6, "Snapchat: {code}. Happy snapping!"),
    service("spotify", "Spotify", "Spotify", 42, 6, "Spotify: {code} logs you in."),
    service("steam", "Steam", "Steam", 51, 5, "Steam Guard number: {code}"),
    service("tiktok", "Tiktok", "TikTok", 70, 6, "[TikTok] {code} expires in five minutes"),
    service("tinder", "Tinder", "Tinder", 93, 6, "Tinder: {code} gets you started."),
    service("twitter", "Twitter", "Twitter", 64, 6, "Twitter confirmation: {code}"),
    service("uber", "Uber", "Uber", 60, 4, "Uber: {code}. Do not pass it on."),
    service("yahoo", "Yahoo", "Yahoo", 47, 8, "Yahoo account key {code}"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_keeps_its_promises() {
        for (index, service) in SERVICES.iter().enumerate() {
            let slug = service.slug;
            assert!(
                SERVICES[..index].iter().all(|other| other.slug != slug),
                "{slug} twice"
            );
            assert!(service.rent_name.eq_ignore_ascii_case(slug), "{slug}");
            assert!(service.history_name.eq_ignore_ascii_case(slug), "{slug}");
            assert!((4..=8).contains(&service.code_digits), "{slug}");
            assert!(service.price > Cents::ZERO, "{slug}");
            assert_eq!(service.template.matches("{code}").count(), 1, "{slug}");
            let other_digits = service.template.bytes().any(|byte| byte.is_ascii_digit());
            assert!(
                !other_digits,
                "{slug}: a second number in the text would be taken for the code"
            );
        }
    }

    #[test]
    fn codes_are_written_as_the_documentation_writes_them() {
        let whatsapp = Service::find("WhatsApp").expect("in the table");
        assert_eq!(
            whatsapp.message("489201"),
            "Your WhatsApp verification code is: 489-201"
        );
        let lyft = Service::find("lyft").expect("in the table");
        assert_eq!(lyft.message("0042"), "Lyft ride code 0042");
        let middle_inside_a_letter = "ab€c";
        assert_eq!(lyft.message(middle_inside_a_letter), "Lyft ride code ab€c");
    }

    #[test]
    fn an_unknown_service_gets_a_suggestion() {
        let error = "whatsap".parse::<ServiceName>().expect_err("misspelt");
        assert_eq!(
            error.to_string(),
            "no service is named \"whatsap\", did you mean \"whatsapp\"; \
             `whatsapp`, `telegram` and `google` are three of 36"
        );
    }
}
