//! The evidence as a story: which operation each request meant, which rentals
//! there were, and what was said about each. Every conclusion is drawn from
//! requests and answers alone, so a probe script and a capture read the same.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::amount::Amount;
use crate::evidence::{Evidence, Exchange, Who};
use crate::reading::{Body, id_text};

/// What a request means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// `GET profile`.
    Profile,
    /// `POST number/rent`, with the service that was asked for.
    Rent(Asked),
    /// `GET number/check-otp/{id}`.
    CheckOtp(String),
    /// `GET rentals/history`, with its query.
    History(String),
    /// Something else: path without query.
    Other(String),
}

/// What the body of a rent says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A service.
    Service(String),
    /// A service that is no text, as JSON.
    Odd(String),
    /// None.
    Nothing,
}

/// The services that the documentation names.
pub(crate) const DOCUMENTED: [&str; 3] = ["whatsapp", "telegram", "google"];

/// A request, what it means, and its answer.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// Its place in the evidence.
    pub(crate) index: usize,
    pub(crate) exchange: &'a Exchange,
    pub(crate) operation: Operation,
    /// 0 if there was no answer.
    pub(crate) status: u16,
    pub(crate) body: Body,
}

/// What a poll shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// `sms_received` is true.
    Received,
    /// `sms_received` is false.
    Waiting,
    /// `sms_received` is neither.
    Odd,
    /// No answer of the API: a refusal, or no object at all.
    Refused,
}

impl Call<'_> {
    /// The body, if it is an object that comes with a 2xx status.
    pub(crate) fn success_object(&self) -> Option<&Map<String, Value>> {
        self.body.object().filter(|_| self.is_2xx())
    }

    pub(crate) const fn is_2xx(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// Whether `success` is true, as documented.
    pub(crate) fn succeeded(&self) -> bool {
        self.success_object()
            .is_some_and(|object| object.get("success") == Some(&Value::Bool(true)))
    }

    /// Whether it was granted, even if its `success` is not as it should be.
    pub(crate) fn granted(&self) -> bool {
        let payload = match &self.operation {
            Operation::Profile => "user",
            Operation::Rent(_) => "rental",
            Operation::CheckOtp(_) => "sms_received",
            Operation::History(_) => "data",
            Operation::Other(_) => return self.succeeded(),
        };
        self.success_object().is_some_and(|object| {
            let refused = matches!(object.get("success"), Some(Value::Bool(false)));
            self.succeeded() || (object.contains_key(payload) && !refused)
        })
    }

    pub(crate) const fn sent(&self) -> Duration {
        self.exchange.sent
    }

    pub(crate) const fn who(&self) -> Who {
        self.exchange.who
    }

    pub(crate) fn case(&self) -> Case {
        let Some(object) = self.success_object() else {
            return Case::Refused;
        };
        match object.get("sms_received") {
            Some(Value::Bool(true)) => Case::Received,
            Some(Value::Bool(false)) => Case::Waiting,
            Some(_) => Case::Odd,
            None if object.contains_key("sms_code") => Case::Odd,
            None if object.get("success") == Some(&Value::Bool(true)) => Case::Odd,
            None => Case::Refused,
        }
    }

    /// The code that a poll shows, as text.
    pub(crate) fn code(&self) -> Option<String> {
        let code = self.success_object()?.get("sms_code")?;
        match code {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Whether a poll shows this code; a number may have lost leading zeros, which is C6's to tell.
    pub(crate) fn shows(&self, code: &str) -> bool {
        let value = self
            .success_object()
            .and_then(|object| object.get("sms_code"));
        let number = value.is_some_and(Value::is_number);
        let significant = |code: &str| code.trim_start_matches('0').to_owned();
        self.code().is_some_and(|shown| {
            shown == code || (number && significant(&shown) == significant(code))
        })
    }

    /// The text that a poll shows.
    pub(crate) fn text(&self) -> Option<&str> {
        let object = self.success_object()?;
        let text = object
            .get("full_message")
            .or_else(|| object.get("raw_text"))?;
        text.as_str()
    }

    /// The rows of a history.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Map<String, Value>> {
        let rows = self.success_object().and_then(|object| object.get("data"));
        let rows = rows.and_then(Value::as_array).into_iter().flatten();
        rows.filter_map(Value::as_object)
    }

    /// The total of a history.
    pub(crate) fn total(&self) -> Option<i64> {
        self.success_object()?.get("total_records")?.as_i64()
    }

    /// The balance of a profile.
    pub(crate) fn balance(&self) -> Option<Amount> {
        let user = self.success_object()?.get("user")?;
        Amount::of(user.get("balance")?)
    }
}

/// A rental, as its rent told it.
#[derive(Debug)]
pub(crate) struct Rental {
    pub(crate) who: Who,
    /// The call that made it.
    pub(crate) call: usize,
    pub(crate) slug: String,
    pub(crate) id: String,
    pub(crate) phone: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) cost: Option<Amount>,
    pub(crate) life: Option<Duration>,
    pub(crate) sent: Duration,
    pub(crate) answered: Duration,
    /// Its own polls, by the right key, in order.
    pub(crate) polls: Vec<usize>,
}

/// Everything, put in order.
#[derive(Debug)]
pub(crate) struct Story<'a> {
    pub(crate) evidence: &'a Evidence,
    pub(crate) calls: Vec<Call<'a>>,
    pub(crate) rentals: Vec<Rental>,
}

/// Other names under which a documented field is found at another endpoint.
pub(crate) const ALIASES: [&[&str]; 4] = [
    &["phone", "phone_number"],
    &["service", "service_name", "service_slug"],
    &["full_message", "raw_text"],
    &["id", "rental_id"],
];

/// A field by its documented name, or by the one that another endpoint has for it.
pub(crate) fn by_any_name<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| {
        let group = ALIASES.iter().find(|group| group.contains(&name))?;
        group.iter().find_map(|alias| object.get(*alias))
    })
}

impl<'a> Story<'a> {
    /// Reads the evidence.
    pub(crate) fn of(evidence: &'a Evidence) -> Self {
        let calls: Vec<_> = evidence.exchanges.iter().enumerate().map(call).collect();
        let mut rentals: Vec<_> = calls.iter().filter_map(rental).collect();
        for rental in &mut rentals {
            if let Some(end) = evidence.ended_by_hand.get(&rental.id) {
                rental.life = Some(end.saturating_sub(rental.sent));
            }
        }
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for (place, rental) in rentals.iter().enumerate() {
            places.entry(rental.id.clone()).or_insert(place);
        }
        for call in &calls {
            if let Operation::CheckOtp(id) = &call.operation
                && let Some(place) = places.get(id)
                && rentals[*place].who == call.who()
            {
                rentals[*place].polls.push(call.index);
            }
        }
        Self {
            evidence,
            calls,
            rentals,
        }
    }

    /// Calls with the right key that mean this kind of operation.
    pub(crate) fn profiles(&self, who: Who) -> impl Iterator<Item = &Call<'a>> {
        let meant = move |call: &&Call<'_>| call.operation == Operation::Profile;
        self.calls
            .iter()
            .filter(meant)
            .filter(move |call| call.who() == who)
    }

    pub(crate) fn histories(&self, who: Who) -> impl Iterator<Item = &Call<'a>> {
        let meant = |call: &&Call<'_>| matches!(call.operation, Operation::History(_));
        self.calls
            .iter()
            .filter(meant)
            .filter(move |call| call.who() == who)
    }

    /// Histories that were asked for without parameters.
    pub(crate) fn first_pages(&self, who: Who) -> impl Iterator<Item = &Call<'a>> {
        self.histories(who)
            .filter(|call| call.operation == Operation::History(String::new()))
    }

    /// All rents with a key of ours.
    pub(crate) fn rents(&self) -> impl Iterator<Item = (&Call<'a>, &Asked)> {
        self.calls.iter().filter_map(|call| match &call.operation {
            Operation::Rent(asked) if call.is_ours() => Some((call, asked)),
            _ => None,
        })
    }

    pub(crate) fn rental(&self, id: &str) -> Option<&Rental> {
        self.rentals.iter().find(|rental| rental.id == id)
    }

    /// The polls of a rental.
    pub(crate) fn polls(&self, rental: &Rental) -> impl DoubleEndedIterator<Item = &Call<'a>> {
        rental.polls.iter().map(|index| &self.calls[*index])
    }

    /// The first poll that shows the SMS.
    pub(crate) fn received(&self, rental: &Rental) -> Option<&Call<'a>> {
        let mut polls = rental.polls.iter().map(|index| &self.calls[*index]);
        polls.find(|call| call.case() == Case::Received)
    }

    /// Whether a rental can have ended at this moment.
    pub(crate) fn may_have_ended(rental: &Rental, at: Duration) -> bool {
        // Its life began at the server, at the earliest when the rent was sent.
        rental
            .life
            .is_none_or(|life| at >= rental.sent.saturating_add(life))
    }

    /// The rentals of a key.
    pub(crate) fn rentals_of(&self, who: Who) -> impl Iterator<Item = &Rental> {
        self.rentals.iter().filter(move |rental| rental.who == who)
    }
}

impl Call<'_> {
    /// Whether it was sent with one of the two keys, as documented.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self.who(), Who::First | Who::Second)
    }
}

fn call((index, exchange): (usize, &Exchange)) -> Call<'_> {
    let (status, body) = match &exchange.answer {
        Ok(answer) => (answer.status, Body::read(&answer.body)),
        Err(_) => (0, Body::Empty),
    };
    Call {
        index,
        exchange,
        operation: operation(exchange),
        status,
        body,
    }
}

/// What stands before every path.
pub(crate) const PREFIX: &str = "/api/v1";

fn operation(exchange: &Exchange) -> Operation {
    let (path, query) = match exchange.target.split_once('?') {
        Some((path, query)) => (path, query),
        None => (exchange.target.as_str(), ""),
    };
    let other = || Operation::Other(path.to_owned());
    let Some((_, path)) = path.split_once(PREFIX) else {
        return other();
    };
    match (exchange.method.as_str(), path) {
        ("GET", "/profile") => Operation::Profile,
        ("POST", "/number/rent") => Operation::Rent(asked(exchange)),
        ("GET", "/rentals/history") => Operation::History(query.to_owned()),
        ("GET", path) => match path.strip_prefix("/number/check-otp/") {
            Some(id) => Operation::CheckOtp(id.to_owned()),
            None => other(),
        },
        _ => other(),
    }
}

fn asked(exchange: &Exchange) -> Asked {
    match Body::read(&exchange.body) {
        Body::Object(object, _) => match object.get("service") {
            Some(Value::String(slug)) => Asked::Service(slug.clone()),
            Some(odd) => Asked::Odd(odd.to_string()),
            None => Asked::Nothing,
        },
        _ => form(&String::from_utf8_lossy(&exchange.body)),
    }
}

/// What an URL-encoded or a multipart body asks for; slugs need no decoding.
fn form(body: &str) -> Asked {
    if let Some((_, rest)) = body.split_once("name=\"service\"") {
        let value = rest.split_once("\r\n\r\n").map_or("", |(_, value)| value);
        let value = value.lines().next().unwrap_or_default();
        return Asked::Service(value.to_owned());
    }
    let mut pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    match pairs.find(|(name, _)| *name == "service") {
        Some((_, slug)) => Asked::Service(slug.to_owned()),
        None => Asked::Nothing,
    }
}

fn rental(call: &Call<'_>) -> Option<Rental> {
    let slug = match &call.operation {
        Operation::Rent(Asked::Service(slug)) => slug.clone(),
        Operation::Rent(_) => String::new(),
        // One that should not have rented, and did.
        Operation::Other(path) if path.ends_with("/number/rent") => {
            let query = call.exchange.target.split_once("?service=");
            query.map_or_else(String::new, |(_, slug)| slug.to_owned())
        }
        _ => return None,
    };
    if !call.is_ours() || !call.granted() {
        return None;
    }
    let object = call.success_object()?;
    let rental = object
        .get("rental")
        .and_then(Value::as_object)
        .unwrap_or(object);
    let text = |name| {
        by_any_name(rental, name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let life = rental.get("expires_in_seconds").and_then(Value::as_u64);
    Some(Rental {
        who: call.who(),
        call: call.index,
        slug,
        id: by_any_name(rental, "id").and_then(id_text)?,
        phone: text("phone"),
        service: text("service"),
        cost: rental.get("cost").and_then(Amount::of),
        life: life.map(Duration::from_secs),
        sent: call.exchange.sent,
        answered: call.exchange.answered,
        polls: Vec::new(),
    })
}
