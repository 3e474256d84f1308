//! What a simulation may do and no server: look ahead, because what it knows
//! nobody else gets to see, and let go of what nobody will ask for again.

use contract::Moment;

use crate::dialect::RateLimit;
use crate::mock::Mock;

impl Mock {
    /// Until when each poll of this rental, with its account's key, is answered at
    /// once that it waits, and changes nothing that an answer could show; `None`
    /// where that cannot be said. Only counts of requests would tell whether such
    /// a poll was made.
    pub fn waits_until(&self, id: u64) -> Option<Moment> {
        let (owner, rental) = self.rental(u32::try_from(id).ok()?)?;
        let owner = &self.accounts[owner as usize];
        let plain = owner.faults.rules.is_empty()
            && owner.settings.dialect.rate_limit == RateLimit::Off
            && owner.clock.pace() == 1.0;
        let until = owner.end(rental);
        let until = rental.sms_at().map_or(until, |arrival| arrival.min(until));
        plain.then(|| owner.clock.server(until))
    }

    /// It is `now`, and a request that came changes nothing else.
    pub fn pass(&mut self, now: Moment) {
        self.advance(now);
    }

    /// Nobody will ask for this rental again, nor look for it in the history. It
    /// is forgotten as soon as nothing more can happen to its money; all counts
    /// and sums stay what they are.
    pub fn let_go(&mut self, id: u64) {
        let Some((place, id)) = u32::try_from(id)
            .ok()
            .and_then(|id| Some((self.place(id)?.account, id)))
        else {
            return;
        };
        let now = self.advance(Moment::START);
        let owner = &mut self.accounts[place as usize];
        if !owner.dismiss(id) {
            return;
        }
        let gone = owner.let_go(owner.clock.local(now));
        for id in &gone {
            self.register.vacate(*id);
        }
        if !gone.is_empty() {
            for (rental, index) in self.accounts[place as usize].rentals().iter().zip(0..) {
                self.register.restore(rental.id, (place, index));
            }
        }
    }
}
