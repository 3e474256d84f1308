//! Strategies as text: one grammar for scenarios and the command line.

use std::time::Duration;

use contract::expression::{Argument, ExpressionError, Sum, Term, Word};
use contract::{Law, TimeSpan};

use super::pace::{Jitter, Pace};
use super::{Planned, Strategy, Webhook};

/// Gaps do not grow beyond this unless `cap` says so.
const CAP: Duration = Duration::from_secs(60);

/// A server that does not say when to ask is asked as RFC 8628 (3.5) recommends.
const SERVER_PACE: Duration = Duration::from_secs(5);

/// What `adaptive` takes a request to be worth, in seconds of lag.
const PRICE: f64 = 1.0;

/// What is assumed of a webhook when nobody says.
const WEBHOOK: Webhook = Webhook {
    probability: 0.95,
    mean: 1.0,
};

/// More polls than any plan makes sense with.
const MOST_POLLS: f64 = 100_000.0;

impl Strategy {
    /// The strategy that a term means, without its text.
    pub(crate) fn from_term(term: &Term<'_>) -> Result<Self, ExpressionError> {
        if term.word.text == "webhook" {
            return webhook(term);
        }
        let mut arguments = Arguments::of(term);
        let pace = pace(term, &mut arguments)?;
        let first = arguments.take("first");
        let first = first.map(|law| Law::from_sum(law)).transpose()?;
        let least_gap = arguments.take("min_gap");
        let least_gap = least_gap.map(|gap| span(gap)).transpose()?;
        arguments.nothing_left(term)?;
        Ok(Self {
            text: String::new(),
            pace,
            first,
            least_gap: least_gap.unwrap_or_default(),
            webhook: None,
        })
    }
}

/// Named arguments that nobody has taken yet, and the plain ones.
struct Arguments<'t, 'a> {
    plain: Vec<&'t Sum<'a>>,
    named: Vec<(Word<'a>, &'t Sum<'a>)>,
}

impl<'t, 'a> Arguments<'t, 'a> {
    fn of(term: &'t Term<'a>) -> Self {
        let all = term.arguments.as_deref().unwrap_or_default();
        let named = |Argument { name, value }: &'t Argument<'a>| name.map(|name| (name, value));
        Self {
            plain: all
                .iter()
                .filter(|argument| argument.name.is_none())
                .map(|argument| &argument.value)
                .collect(),
            named: all.iter().filter_map(named).collect(),
        }
    }

    fn take(&mut self, name: &str) -> Option<&'t Sum<'a>> {
        let place = self.named.iter().position(|(word, _)| word.text == name)?;
        Some(self.named.remove(place).1)
    }

    /// The plain arguments, which must be so many.
    fn plain<const COUNT: usize>(
        &self,
        term: &Term<'_>,
        usage: &str,
    ) -> Result<[&'t Sum<'a>; COUNT], ExpressionError> {
        let plain = self.plain.as_slice().try_into();
        plain.map_err(|_| term.word.error(format!("write it like {usage}")))
    }

    fn nothing_left(&self, term: &Term<'_>) -> Result<(), ExpressionError> {
        let Some((name, _)) = self.named.first() else {
            return Ok(());
        };
        Err(match name.text {
            "cap" | "jitter" => name.error(format!("{} belongs to backoff", name.text)),
            "lambda" | "budget" | "law" => name.error(format!(
                "{} belongs to what is planned, like optimal",
                name.text
            )),
            "first" | "min_gap" => name.error(format!("{} is given twice", name.text)),
            other => name.error(format!("{} has no option named {other:?}", term.word.text)),
        })
    }
}

fn pace(term: &Term<'_>, arguments: &mut Arguments<'_, '_>) -> Result<Pace, ExpressionError> {
    match term.word.text {
        "fixed" => {
            let [interval] = arguments.plain(term, "fixed(3s)")?;
            Ok(Pace::Fixed(positive(interval)?))
        }
        "backoff" => {
            let [initial, factor] = arguments.plain(term, "backoff(1s,x2,cap=60s)")?;
            let cap = arguments.take("cap").map(positive).transpose()?;
            let jitter = arguments.take("jitter").map(jitter).transpose()?;
            Ok(Pace::Backoff {
                initial: positive(initial)?,
                factor: growth(factor)?,
                cap: cap.unwrap_or(CAP),
                jitter: jitter.unwrap_or(Jitter::None),
            })
        }
        "schedule" => schedule(term, arguments),
        "quantile" | "hazard" | "optimal" => planned(term, arguments),
        "adaptive" => {
            let [] = arguments.plain(term, "adaptive or adaptive(lambda=1s)")?;
            let price = arguments.take("lambda").map(positive).transpose()?;
            Ok(Pace::Adaptive(
                price.map_or(PRICE, |price| price.as_secs_f64()),
            ))
        }
        "server-paced" => match arguments.plain.as_slice() {
            [] => Ok(Pace::ServerPaced(SERVER_PACE)),
            [gap] => Ok(Pace::ServerPaced(positive(gap)?)),
            _ => Err(term
                .word
                .error("write it like server-paced or server-paced(5s)")),
        },
        name => Err(term.word.error(format!("{name:?} is not a known strategy"))),
    }
}

fn schedule(term: &Term<'_>, arguments: &Arguments<'_, '_>) -> Result<Pace, ExpressionError> {
    if arguments.plain.is_empty() {
        return Err(term.word.error("write it like schedule(8s,13s,21s)"));
    }
    let mut offsets: Vec<Duration> = Vec::with_capacity(arguments.plain.len());
    for value in &arguments.plain {
        let offset = span(value)?;
        if offsets.last().is_some_and(|before| *before >= offset) {
            let message = format!("{} is not after the poll before it", TimeSpan(offset));
            return Err(ExpressionError::new(value.offset, message));
        }
        offsets.push(offset);
    }
    Ok(Pace::Schedule(offsets.into()))
}

fn planned(term: &Term<'_>, arguments: &mut Arguments<'_, '_>) -> Result<Pace, ExpressionError> {
    let law = arguments.take("law");
    let law = law.map(|law| Law::from_sum(law)).transpose()?;
    let mut price = || -> Result<Option<f64>, ExpressionError> {
        let price = arguments.take("lambda").map(positive).transpose()?;
        Ok(price.map(|price| price.as_secs_f64()))
    };
    let plan = match term.word.text {
        "quantile" => {
            let [count] = arguments.plain(term, "quantile(10)")?;
            Planned::Quantile(polls(count)?)
        }
        "hazard" => {
            let price = price()?;
            let [] = arguments.plain(term, "hazard(lambda=1s)")?;
            let missing = || term.word.error("write it like hazard(lambda=1s)");
            Planned::Hazard(price.ok_or_else(missing)?)
        }
        _ => {
            let price = price()?;
            let usage = "optimal(lambda=1s) or optimal(budget=4)";
            let [] = arguments.plain(term, usage)?;
            match (price, arguments.take("budget").map(budget).transpose()?) {
                (Some(price), None) => Planned::OptimalAtPrice(price),
                (None, Some(budget)) => Planned::OptimalWithin(budget),
                (None, None) => return Err(term.word.error(format!("write it like {usage}"))),
                (Some(_), Some(_)) => {
                    return Err(term.word.error("give lambda or budget, not both"));
                }
            }
        }
    };
    Ok(Pace::Planned(plan, law))
}

fn webhook(term: &Term<'_>) -> Result<Strategy, ExpressionError> {
    const USAGE: &str =
        "webhook(fallback=fixed(10s)) or webhook(fallback=fixed(10s),p=0.95,mean=1s)";
    let mut arguments = Arguments::of(term);
    let [] = arguments.plain(term, USAGE)?;
    let Some(fallback) = arguments.take("fallback") else {
        return Err(term.word.error(format!("write it like {USAGE}")));
    };
    let fallback = fallback.single()?;
    if fallback.word.text == "webhook" {
        return Err(fallback
            .word
            .error("a webhook is no fallback for a webhook"));
    }
    let probability = arguments.take("p").map(probability).transpose()?;
    let mean = arguments.take("mean").map(positive).transpose()?;
    arguments.nothing_left(term)?;
    Ok(Strategy {
        webhook: Some(Webhook {
            probability: probability.unwrap_or(WEBHOOK.probability),
            mean: mean.map_or(WEBHOOK.mean, |mean| mean.as_secs_f64()),
        }),
        ..Strategy::from_term(fallback)?
    })
}

impl std::str::FromStr for Webhook {
    type Err = super::WebhookError;

    /// `p=0.95,mean=1s`: what is assumed of a webhook.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const BEFORE: &str = "webhook(fallback=fixed(1s),";
        let whole = format!("{BEFORE}{text})");
        let read = |whole: &str| webhook(Sum::parse(whole)?.single()?);
        let strategy = read(&whole).map_err(|error| ExpressionError {
            offset: error.offset.saturating_sub(BEFORE.len()),
            ..error
        })?;
        strategy
            .webhook
            .ok_or_else(|| ExpressionError::new(0, "write it like p=0.95,mean=1s").into())
    }
}

fn span(value: &Sum<'_>) -> Result<Duration, ExpressionError> {
    value.word()?.read::<TimeSpan>().map(|span| span.0)
}

fn positive(value: &Sum<'_>) -> Result<Duration, ExpressionError> {
    let word = value.word()?;
    let span: TimeSpan = word.read()?;
    if span.0.is_zero() {
        return Err(word.error("this has to be longer than nothing"));
    }
    Ok(span.0)
}

fn polls(value: &Sum<'_>) -> Result<u32, ExpressionError> {
    let word = value.word()?;
    let count = word.text.parse().ok();
    count
        .filter(|count: &u32| (1..=MOST_POLLS as u32).contains(count))
        .ok_or_else(|| word.error("write how many polls, from 1 to 100000"))
}

fn budget(value: &Sum<'_>) -> Result<f64, ExpressionError> {
    let word = value.word()?;
    match word.number()? {
        budget if (1.0..=MOST_POLLS).contains(&budget) => Ok(budget),
        _ => Err(word.error(
            "a budget is at least one request per rental, which is the one at the deadline",
        )),
    }
}

fn probability(value: &Sum<'_>) -> Result<f64, ExpressionError> {
    let word = value.word()?;
    match word.number()? {
        probability if (0.0..=1.0).contains(&probability) => Ok(probability),
        _ => Err(word.error("p is a probability between 0 and 1")),
    }
}

fn growth(value: &Sum<'_>) -> Result<f64, ExpressionError> {
    let word = value.word()?;
    word.text
        .strip_prefix('x')
        .and_then(|digits| digits.parse().ok())
        .filter(|factor: &f64| (1.0..=1000.0).contains(factor))
        .ok_or_else(|| word.error("write the factor like x2 or x1.5, at least x1"))
}

fn jitter(value: &Sum<'_>) -> Result<Jitter, ExpressionError> {
    let word = value.word()?;
    match word.text {
        "none" => Ok(Jitter::None),
        "full" => Ok(Jitter::Full),
        "equal" => Ok(Jitter::Equal),
        "decorrelated" => Ok(Jitter::Decorrelated),
        _ => Err(word.error("jitter is none, full, equal or decorrelated")),
    }
}
