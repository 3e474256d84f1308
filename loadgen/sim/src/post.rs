//! The mock's webhooks on their way to the customers and back: over the same
//! network as requests, to a listener that takes no time.

use contract::{Moment, truth};
use loadgen_core::fleet::Fleet;
use loadgen_core::webhook::Pushed;
use mock_server_core::{WebhookAttempt, WebhookOutcome};

use crate::queue::What;
use crate::world::World;

/// What the listener answers.
const OK: u16 = 200;

impl World {
    /// When the mock has to post something.
    pub(crate) fn posts_due(&self) -> Option<Moment> {
        self.mock.next_webhook_due().filter(|_| self.posts)
    }

    /// Sends off what is due.
    pub(crate) fn post(&mut self) {
        while let Some(attempt) = self.mock.take_due_webhook(self.now) {
            self.send_off(attempt, self.now);
        }
    }

    /// A webhook begins its way.
    pub(crate) fn send_off(&mut self, attempt: WebhookAttempt, at: Moment) {
        match self.carry() {
            Some(way) => self.push(at + way, What::Posted(Box::new(attempt))),
            None => self.lose(&attempt),
        }
    }

    /// A webhook is there; the customers take it, and it is answered.
    pub(crate) fn deliver(&mut self, attempt: &WebhookAttempt, fleet: &mut Fleet) {
        let mut headers = attempt.headers.iter();
        let truth = headers.find(|(name, _)| *name == truth::HEADER);
        let truth = truth.map(|(_, value)| value.as_str());
        match Pushed::read(&attempt.body, truth) {
            Some(pushed) => fleet.handle_webhook(self.now, pushed),
            None => fleet.handle_unreadable_webhook(self.now),
        }
        match self.carry() {
            Some(way) => {
                let outcome = attempt.outcome(OK);
                self.push(
                    self.now + way,
                    What::Acknowledged(attempt.delivery, outcome),
                );
            }
            None => self.lose(attempt),
        }
    }

    /// Post or answer are lost: the mock waits as long as it does.
    fn lose(&mut self, attempt: &WebhookAttempt) {
        let failed = What::Acknowledged(attempt.delivery, WebhookOutcome::Failed);
        self.push(self.now + attempt.timeout, failed);
    }
}
