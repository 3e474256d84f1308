//! Asking: every request goes through here, is written down, waits where the
//! server says so, and costs what it costs.

use std::future::pending;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use judge_core::amount::Amount;
use judge_core::evidence::{Answer, Exchange, Who};
use serde_json::Value;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::control::Control;
use crate::line::{Line, Outgoing};
use crate::plan::{Plan, Spending};
use crate::seen::Seen;

/// What a check has cost.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    /// Money, by the prices that the rents told.
    pub amount: Amount,
    /// Numbers that were rented.
    pub rentals: u32,
    /// The highest price so far.
    dearest: Amount,
}

/// A rental of the check.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) who: Who,
    pub(crate) id: String,
    pub(crate) cost: Amount,
    pub(crate) life: Duration,
    pub(crate) rented: Duration,
    /// When its code was first seen.
    pub(crate) received: Option<Duration>,
}

/// An answer, as far as the script has to understand it to go on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) json: Value,
}

impl Reply {
    /// The first of these that is there.
    pub(crate) fn any(&self, pointers: &[&str]) -> Option<&Value> {
        pointers
            .iter()
            .find_map(|pointer| self.json.pointer(pointer))
    }

    pub(crate) fn received(&self) -> bool {
        self.json.get("sms_received") == Some(&Value::Bool(true))
    }
}

/// One who asks.
pub(crate) struct Probe<'p> {
    pub(crate) plan: &'p Plan,
    line: Line,
    control: Option<Control>,
    /// One that moves time no more, and may have things to put back.
    lost: Option<Control>,
    pub(crate) evidence: Seen,
    pub(crate) clock: Rc<Clock>,
    pub(crate) spent: Spent,
    pub(crate) held: Vec<Held>,
    /// The body with which a number was last rented.
    taken: Option<(&'static str, String)>,
    /// Whether the server has told us to slow down.
    pub(crate) limited: bool,
    /// Requests in a row that were not answered.
    unanswered: u32,
    /// Told when the server does not answer any more.
    pub(crate) gone: Rc<Notify>,
}

/// A key that nobody has.
const STRANGER: &str = "otplab-check-made-this-key-up-and-no-account-can-have-it-000";

/// How often a request is sent again after a 429.
const ATTEMPTS: u32 = 8;

/// So many requests in a row without an answer, and the server is gone.
const GONE: u32 = 5;

/// A server may say that a rental lives for ever, and the clock has an end.
const LONGEST_LIFE: Duration = Duration::from_hours(24 * 365);

impl<'p> Probe<'p> {
    pub(crate) fn new(plan: &'p Plan, line: Line, evidence: Seen, clock: Rc<Clock>) -> Self {
        evidence.lock().secrets.push(STRANGER.to_owned());
        Self {
            plan,
            line,
            control: None,
            lost: None,
            evidence,
            clock,
            spent: Spent {
                amount: Amount::ZERO,
                rentals: 0,
                dearest: Amount::ZERO,
            },
            held: Vec::new(),
            taken: None,
            limited: false,
            unanswered: 0,
            gone: Rc::default(),
        }
    }

    /// Looks for a control API, takes its time over, and tells it where webhooks go,
    /// if there is a listener.
    pub(crate) async fn find_control(&mut self, listening: Option<SocketAddr>) {
        if !self.plan.target.is_loopback() || self.plan.read_only {
            return;
        }
        let keys = [&self.plan.key].into_iter().chain(&self.plan.second_key);
        self.control = Control::find(&mut self.line, keys.cloned().collect()).await;
        let Some(control) = &mut self.control else {
            return;
        };
        let time = control.align(&mut self.line).await;
        self.evidence.lock().began = time.map(|now| now - self.clock.now().as_secs_f64());
        if let Some(bound) = listening {
            let url = format!("http://{bound}/webhooks-of-a-check");
            let set = control.listen(&mut self.line, &url).await;
            self.evidence.lock().given.webhooks_set = set;
        }
    }

    /// Whether time is moved and not waited for.
    pub(crate) const fn is_virtual(&self) -> bool {
        self.control.is_some()
    }

    /// Lets time pass, at the server at least.
    pub(crate) async fn pause(&mut self, step: Duration) {
        if let Some(control) = &self.control {
            self.clock.begin(step);
            let moved = control.advance(&mut self.line, step).await;
            self.clock.end(moved);
            if moved {
                return;
            }
            self.lost = self.control.take();
        }
        tokio::time::sleep(step).await;
    }

    /// Ends a rental before its time, where that is possible.
    pub(crate) async fn expire(&mut self, id: &str) -> bool {
        let Some(control) = &self.control else {
            return false;
        };
        let ended = control.expire(&mut self.line, id).await;
        if ended {
            let now = self.clock.now();
            self.evidence
                .lock()
                .ended_by_hand
                .insert(id.to_owned(), now);
        }
        ended
    }

    /// Puts back what was changed at the server.
    pub(crate) async fn clean_up(&mut self) {
        // A request may have been cut off, and its answer is nobody's now.
        self.line.hang_up();
        if let Some(mut control) = self.control.take().or_else(|| self.lost.take()) {
            control.restore(&mut self.line).await;
        }
    }

    /// Why the server cannot be reached, if no request was ever answered.
    pub(crate) fn unreachable(&self) -> Option<String> {
        let evidence = self.evidence.lock();
        let answered = evidence
            .exchanges
            .iter()
            .any(|exchange| exchange.answer.is_ok());
        let first = evidence.exchanges.first()?;
        first.answer.as_ref().err().filter(|_| !answered).cloned()
    }

    /// `GET` below the prefix.
    pub(crate) async fn get(&mut self, who: Who, path: &str) -> Reply {
        self.ask(who, "GET", path, None).await
    }

    /// Sends a request and writes down what came back; waits and sends it again
    /// where the server says that there were too many.
    pub(crate) async fn ask(
        &mut self,
        who: Who,
        method: &str,
        path: &str,
        body: Option<(&'static str, &str)>,
    ) -> Reply {
        let mut reply = Reply::default();
        for attempt in 0..ATTEMPTS {
            let outgoing = self.outgoing(who, method, path, body);
            let sent = self.clock.now();
            let answer = self.line.carry(&outgoing).await;
            let answered = self.clock.now();
            reply = read(answer.as_ref().ok());
            let wait = answer
                .as_ref()
                .ok()
                .and_then(|answer| too_many(answer, attempt));
            self.evidence.lock().exchanges.push(Exchange {
                who,
                method: outgoing.method,
                target: outgoing.target,
                content_type: body.map(|(media, _)| media.to_owned()),
                body: outgoing.body,
                sent,
                answered,
                answer,
            });
            self.lost(reply.status == 0).await;
            match wait {
                Some(wait) => {
                    self.limited = true;
                    self.pause(wait).await;
                }
                None => break,
            }
        }
        reply
    }

    /// Counts what is not answered; never returns once the server is gone, for
    /// the whole script ends there.
    async fn lost(&mut self, unanswered: bool) {
        self.unanswered = if unanswered { self.unanswered + 1 } else { 0 };
        if self.unanswered >= GONE {
            self.gone.notify_one();
            pending::<()>().await;
        }
    }

    fn outgoing(
        &self,
        who: Who,
        method: &str,
        path: &str,
        body: Option<(&'static str, &str)>,
    ) -> Outgoing {
        let key = &self.plan.key;
        let mut headers = match who {
            Who::First => vec![("auth", key.clone())],
            Who::Second => self
                .plan
                .second_key
                .iter()
                .map(|key| ("auth", key.clone()))
                .collect(),
            Who::Nobody => Vec::new(),
            Who::Stranger => vec![("auth", STRANGER.to_owned())],
            Who::OtherScheme(BEARER) => vec![("auth", format!("Bearer {key}"))],
            Who::OtherScheme(_) => vec![("authorization", format!("Bearer {key}"))],
        };
        if let Some((media, _)) = body {
            headers.push(("content-type", media.to_owned()));
        }
        Outgoing {
            method: method.to_owned(),
            target: format!("/api/v1{path}"),
            headers,
            body: body
                .map(|(_, text)| text.as_bytes().to_vec())
                .unwrap_or_default(),
        }
    }

    /// Whether another rental may be paid for.
    pub(crate) fn may_rent(&mut self) -> bool {
        let limit = match self.plan.spending {
            Spending::Limited(limit) => limit,
            Spending::LimitedIfReal(limit) if self.control.is_none() => limit,
            Spending::LimitedIfReal(_) | Spending::Unlimited => return true,
        };
        let next = self.spent.amount.plus(self.spent.dearest);
        let may = limit > Amount::ZERO && next <= limit;
        if !may {
            self.evidence.lock().given.limit_reached = true;
        }
        may
    }

    /// Rents, if there is money for it; whatever rents is paid for.
    pub(crate) async fn rent(&mut self, who: Who, body: (&'static str, &str)) -> Option<Held> {
        if !self.may_rent() {
            return None;
        }
        let reply = self.ask(who, "POST", "/number/rent", Some(body)).await;
        let held = self.keep(who, &reply);
        if held.is_some() {
            self.taken = Some((body.0, body.1.to_owned()));
        }
        held
    }

    /// Rents as it was last done, where a rule of the control API makes the
    /// rent lack something, and writes down the status under this name.
    pub(crate) async fn lack(&mut self, name: &'static str, rule: &str) {
        let Some((media, body)) = self.taken.clone() else {
            return;
        };
        let Some(control) = &mut self.control else {
            return;
        };
        if !control.add_fault(&mut self.line, rule).await {
            return;
        }
        let outgoing = self.outgoing(Who::First, "POST", "/number/rent", Some((media, &body)));
        for attempt in 0..ATTEMPTS {
            let answer = self.line.carry(&outgoing).await;
            let reply = read(answer.as_ref().ok());
            let wait = answer.ok().and_then(|answer| too_many(&answer, attempt));
            if let Some(wait) = wait {
                self.pause(wait).await;
                continue;
            }
            if self.keep(Who::First, &reply).is_none() && reply.status != 429 {
                let lacking = &mut self.evidence.lock().lacking;
                lacking.insert(name, reply.status);
            }
            break;
        }
        if let Some(control) = &mut self.control {
            control.remove_fault(&mut self.line).await;
        }
    }

    /// Rents when the balance is known to be below every price: that costs nothing.
    pub(crate) async fn rent_without_money(&mut self) {
        let balance = self.get(Who::First, "/profile").await;
        let balance = balance.any(&["/user/balance"]).and_then(Amount::of);
        let cheapest = self.held.iter().map(|held| held.cost).min();
        let poor = balance
            .zip(cheapest)
            .is_some_and(|(balance, cheapest)| balance < cheapest);
        if let Some((media, body)) = self.taken.clone().filter(|_| poor) {
            self.rent(Who::First, (media, &body)).await;
        }
    }

    /// Takes note of a rental that an answer tells of.
    pub(crate) fn keep(&mut self, who: Who, reply: &Reply) -> Option<Held> {
        if !(200..300).contains(&reply.status)
            || reply.json.get("success") == Some(&Value::Bool(false))
        {
            return None;
        }
        let id = reply.any(&["/rental/id", "/rental/rental_id", "/id", "/rental_id"])?;
        let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        let cost = reply.any(&["/rental/cost", "/cost"]).and_then(Amount::of);
        let cost = cost.unwrap_or(Amount::ZERO);
        let life = reply
            .any(&["/rental/expires_in_seconds"])
            .and_then(Value::as_u64);
        self.spent.amount = self.spent.amount.plus(cost);
        self.spent.rentals += 1;
        self.spent.dearest = self.spent.dearest.max(cost);
        let held = Held {
            who,
            id,
            cost,
            life: Duration::from_secs(life.unwrap_or(1200)).min(LONGEST_LIFE),
            rented: self.clock.now(),
            received: None,
        };
        self.held.push(held.clone());
        Some(held)
    }
}

/// `Auth: Bearer KEY`; the other is `Authorization: Bearer KEY`.
pub(crate) const BEARER: &str = "`Auth: Bearer KEY`";

fn read(answer: Option<&Answer>) -> Reply {
    let json = |answer: &Answer| {
        let mut values = serde_json::Deserializer::from_slice(&answer.body).into_iter::<Value>();
        values.next().and_then(Result::ok).unwrap_or_default()
    };
    answer.map_or_else(Reply::default, |answer| Reply {
        status: answer.status,
        json: json(answer),
    })
}

/// How long to wait after a 429: what it says, or ever longer.
fn too_many(answer: &Answer, attempt: u32) -> Option<Duration> {
    if answer.status != 429 || attempt + 1 == ATTEMPTS {
        return None;
    }
    let said = answer
        .header("retry-after")
        .and_then(|after| after.trim().parse().ok());
    let seconds = said.unwrap_or_else(|| 1 << attempt.min(5)).clamp(1, 120);
    Some(Duration::from_secs(seconds))
}
