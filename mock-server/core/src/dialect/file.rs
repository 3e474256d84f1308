//! A dialect as people write it: `laravel`, or `laravel, no_numbers=404`, or
//! the same as a TOML table. Most of it is left out.

use std::fmt;
use std::str::FromStr;

use contract::expression::ExpressionError;
use contract::{TimeSpan, complaint};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{
    ActiveRentals, Charge, Dialect, ErrorBody, Expired, ExtraFields, HistoryOrder, Idempotency,
    KeyFormat, LateSms, NoCode, Paging, Preset, RateLimit, Readable, Refund, RentContent,
    RentStatus, RepeatRead, SlugCase, Status, StatusWords, Timestamp, Unauthorized, UnknownService,
    WebhookAck, WebhookDuplicate, WebhookOrder, WebhookRetry, WebhookSignature, WrongMethod, Zone,
};

/// Not a dialect. Does not show the text, because there may be a secret in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a dialect, {0}; a dialect is a preset, settings, or both, like `laravel, no_numbers=404`"
)]
pub struct DialectError(ExpressionError);

/// The fields of [`DialectFile`], which are those of [`Dialect`], and what is
/// done with all of them.
macro_rules! fields {
    ($($name:ident: $type:ty),+ $(,)?) => {
        /// What is said about a dialect; each field but the first is that of [`Dialect`].
        #[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
        #[serde(remote = "Self", deny_unknown_fields)]
        pub struct DialectFile {
            /// What counts for everything that is not said.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub preset: Option<Preset>,
            $(#[doc = concat!("See [`Dialect::", stringify!($name), "`].")]
            #[serde(skip_serializing_if = "Option::is_none")]
            pub $name: Option<$type>,)+
        }

        impl DialectFile {
            /// The names of all settings, the preset first.
            pub(super) const NAMES: &[&str] = &["preset", $(stringify!($name)),+];

            /// What is said here, and for the rest what is said in `other`; a preset
            /// leaves no rest.
            #[must_use]
            pub fn or(self, other: Self) -> Self {
                if self.preset.is_some() {
                    return self;
                }
                Self {
                    preset: other.preset,
                    $($name: self.$name.or(other.$name),)+
                }
            }

            /// All that is so, said: what is not as by default. But for the secret that
            /// webhooks are signed with, which nobody is to read.
            pub fn of(dialect: &Dialect) -> Self {
                let default = Dialect::default();
                let file = Self {
                    preset: Some(Preset::Default),
                    $($name: Some(&dialect.$name)
                        .filter(|value| **value != default.$name)
                        .cloned()
                        .map(Into::into),)+
                };
                Self { webhook_signature: None, ..file }
            }

            /// What is said here, and for the rest what is so already.
            #[must_use]
            pub fn applied_to(self, dialect: &Dialect) -> Dialect {
                let base = self.preset.map_or_else(|| dialect.clone(), Preset::dialect);
                Dialect {
                    $($name: self.$name.map_or(base.$name, Into::into),)+
                }
            }
        }
    };
}

fields! {
    error_body: ErrorBody,
    unauthorized: Unauthorized,
    key_format: KeyFormat,
    missing_service: Status,
    unknown_service: UnknownService,
    slug_case: SlugCase,
    rent_content: RentContent,
    rent_status: RentStatus,
    insufficient_balance: Status,
    no_numbers: Status,
    no_such_rental: Status,
    wrong_method: WrongMethod,
    expired: Expired,
    readable: Readable,
    late_sms: LateSms,
    repeat_read: RepeatRead,
    charge: Charge,
    refund: Refund,
    status_words: StatusWords,
    no_code: NoCode,
    history_order: HistoryOrder,
    paging: Paging,
    rate_limit: RateLimit,
    active_rentals: ActiveRentals,
    webhook_ack: WebhookAck,
    webhook_timeout: TimeSpan,
    webhook_retry: WebhookRetry,
    webhook_signature: WebhookSignature,
    webhook_order: WebhookOrder,
    webhook_duplicate: WebhookDuplicate,
    idempotency: Idempotency,
    time_zone: Zone,
    timestamp: Timestamp,
    extra_fields: ExtraFields,
}

impl FromStr for DialectFile {
    type Err = DialectError;

    fn from_str(text: &str) -> Result<Self, DialectError> {
        read(text).map_err(DialectError)
    }
}

/// Reads settings that commas separate, of which the first may be a preset.
fn read(text: &str) -> Result<DialectFile, ExpressionError> {
    let mut file = DialectFile::default();
    let mut said = Vec::new();
    let mut offset = 0;
    for item in text.split(',') {
        let place = offset + item.len() - item.trim_start().len();
        let wrong = |message: String| ExpressionError::new(place, message);
        let (name, value) = match item.split_once('=') {
            Some((name, value)) => (name.trim(), value.trim()),
            None if offset == 0 => ("preset", item.trim()),
            None => return Err(wrong("expected a setting, like no_numbers=404".to_owned())),
        };
        if said.contains(&name) {
            return Err(wrong(format!("{name} is there twice")));
        }
        said.push(name);
        let single = Value::Object(Map::from_iter([(name.to_owned(), value.into())]));
        let setting = DialectFile::deserialize(single)
            .map_err(|error| wrong(complaint::plain(&error.to_string())))?;
        let preset = file.preset.or(setting.preset);
        file.preset = None;
        file = DialectFile {
            preset,
            ..file.or(setting)
        };
        offset += item.len() + 1;
    }
    Ok(file)
}

impl Serialize for DialectFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for DialectFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

/// A text or a table.
struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = DialectFile;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text like \"laravel\" or a table of settings")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<DialectFile, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DialectFile, A::Error> {
        DialectFile::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use contract::document;

    use super::super::{Quota, UnknownService};
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Whole {
        dialect: DialectFile,
    }

    fn flag(text: &str) -> Dialect {
        let file: DialectFile = text.parse().expect(text);
        file.applied_to(&Dialect::default())
    }

    fn document(text: &str) -> Dialect {
        let whole: Whole = document::parse("s.toml", text).expect(text);
        whole.dialect.applied_to(&Dialect::default())
    }

    #[test]
    fn flag_text_and_table_say_the_same() {
        let expected = Dialect {
            no_numbers: "404".parse().expect("a status"),
            webhook_order: WebhookOrder::Delayed(Duration::from_secs(2)),
            ..Preset::Laravel.dialect()
        };
        assert_eq!(
            flag("laravel, no_numbers=404, webhook_order = delayed(2s)"),
            expected
        );
        assert_eq!(
            document("dialect = \"laravel, no_numbers=404, webhook_order=delayed(2s)\""),
            expected
        );
        assert_eq!(
            document(
                "[dialect]\npreset = \"laravel\"\nno_numbers = 404\nwebhook_order = \"delayed(2s)\""
            ),
            expected
        );
        assert_eq!(flag("default"), Dialect::default());
    }

    #[test]
    fn every_setting_is_read() {
        let dialect = flag(
            "error_body=coded, unauthorized=redirect, key_format=any, missing_service=400, \
             unknown_service=accept, slug_case=lower, rent_content=json, rent_status=201, \
             insufficient_balance=400, no_numbers=404, no_such_rental=403, wrong_method=404, \
             expired=410, readable=30m, late_sms=charged, repeat_read=once, charge=sms, \
             refund=30m, status_words=getatext, no_code=zero, history_order=oldest, \
             paging=offset, rate_limit=60/min, active_rentals=20, webhook_ack=200, \
             webhook_timeout=3s, webhook_retry=3x1m, webhook_signature=secret, \
             webhook_order=webhook_first(2s), webhook_duplicate=0.5, idempotency=honoured, \
             time_zone=Etc/GMT+1, timestamp=milliseconds, extra_fields=some",
        );
        assert_eq!(dialect.unknown_service, UnknownService::Accept);
        assert_eq!(dialect.refund, Refund::After(Duration::from_secs(1800)));
        let count = 60.try_into().expect("not zero");
        let window = Duration::from_secs(60);
        assert_eq!(dialect.rate_limit, RateLimit::Own(Quota { count, window }));
        assert_eq!(dialect.webhook_timeout, Duration::from_secs(3));
        assert_eq!(
            dialect.webhook_duplicate,
            WebhookDuplicate::Probability(0.5)
        );
        assert!(!format!("{dialect:?}").contains("secret"));
        let words =
            document("[dialect.status_words]\npending = \"a\"\ncompleted = \"b\"\nexpired = \"c\"");
        assert_eq!(words, flag("status_words=a/b/c"));
    }

    #[test]
    fn what_is_so_is_written_as_it_is_read_but_for_the_secret() {
        for text in [
            "default",
            "laravel",
            "strict",
            "hostile",
            "expired=410, readable=30m, refund=30m, rate_limit=60/min, active_rentals=20, \
             webhook_retry=3x1m, webhook_order=webhook_first(2s), webhook_duplicate=0.5, \
             status_words=n/a/b/c, unknown_service=accept, missing_service=400, charge=sms",
            "refund=none, late_sms=charged, webhook_retry=plivo, webhook_order=delayed(1s500ms), \
             no_code=zero, repeat_read=once, rate_limit=5/h",
            "refund=unseen, no_code=empty, rate_limit=2/s, webhook_retry=disable_after_50, \
             idempotency=honoured, time_zone=America/New_York, timestamp=text, key_format=any",
        ] {
            let dialect = flag(text);
            let written = serde_json::to_string(&DialectFile::of(&dialect)).expect("plain");
            let read: DialectFile = serde_json::from_str(&written).expect(&written);
            assert_eq!(read.applied_to(&flag("strict")), dialect, "{written}");
        }
        let secret = DialectFile::of(&flag("webhook_signature=hush"));
        let written = serde_json::to_string(&secret).expect("plain");
        assert_eq!(written, r#"{"preset":"default"}"#);
    }

    #[test]
    fn what_is_said_first_counts_and_a_preset_leaves_no_rest() {
        let read = |text: &str| text.parse::<DialectFile>().expect(text);
        let both = read("no_numbers=404").or(read("laravel, no_numbers=400"));
        assert_eq!(both, read("laravel, no_numbers=404"));
        let both = read("default").or(read("no_numbers=400"));
        assert_eq!(both, read("default"));
        let below = flag("no_numbers=404");
        let above = read("no_such_rental=403").applied_to(&below);
        assert_eq!(above, flag("no_numbers=404, no_such_rental=403"));
    }

    #[test]
    fn a_mistake_is_told_with_its_place_and_what_could_stand_there() {
        for (text, expected) in [
            (
                "larvel",
                "not a dialect, at character 1: unknown variant `larvel`, \
                 expected one of `default`, `laravel`, `strict`, `hostile`; \
                 did you mean `laravel`?",
            ),
            (
                "laravel, strict",
                "not a dialect, at character 10: expected",
            ),
            (
                "laravel, no_numbers=x",
                "not a dialect, at character 10: \
                 \"x\" is not understood; write a status: 400 to 599, or 200",
            ),
            (
                "no_number=404",
                "not a dialect, at character 1: unknown field",
            ),
            (
                "charge=sms,charge=rent",
                "not a dialect, at character 12: charge is there twice",
            ),
            ("", "not a dialect, at character 1"),
        ] {
            let complaint = text.parse::<DialectFile>().expect_err(text).to_string();
            assert!(complaint.starts_with(expected), "{complaint}");
        }
        for (text, expected) in [
            (
                "[dialect]\nno_numbers = 42",
                "s.toml:2:14: \"42\" is not understood; write a status: 400 to 599, or 200",
            ),
            (
                "[dialect]\nerror_body = \"xml\"",
                "s.toml:2:14: unknown variant `xml`, expected one of `envelope`, `laravel`",
            ),
            ("dialect = \"larvel\"", "s.toml:1:11: not a dialect"),
            (
                "[dialect]\nno_number = 404",
                "s.toml:2:1: unknown field `no_number`, expected one of",
            ),
            (
                "[dialect]\ntime_zone = \"Mars/Base\"",
                "s.toml:2:13: \"Mars/Base\" is not understood; write a time zone",
            ),
        ] {
            let complaint = document::parse::<Whole>("s.toml", text)
                .expect_err(text)
                .to_string();
            assert!(complaint.starts_with(expected), "{complaint}");
        }
    }
}
