//! `rent`: a number for one service, and the webhooks that will tell of its SMS.

use std::time::Duration;

use contract::Problem;
use contract::body::{self, Rent};

use super::Times;
use crate::catalogue::{Names, Offer};
use crate::dialect::{Idempotency, RentStatus};
use crate::fault::SmsPlan;
use crate::idempotency::{self, Known};
use crate::mock::Mock;
use crate::register::Place;
use crate::rent_body;
use crate::rental::Rental;
use crate::reply::{Delivery, Reply};
use crate::request::Request;
use crate::sms;
use crate::webhook::{CopyOf, DeliveryId};

impl Mock {
    /// Rents a number, or repeats what was answered under the request's key.
    pub(super) fn rent(
        &mut self,
        place: u32,
        request: &Request<'_>,
        (times, sms): (Times, SmsPlan),
    ) -> Result<Reply, Problem> {
        let account = &mut self.accounts[place as usize];
        let dialect = &account.settings.dialect;
        let slug = rent_body::slug(request.content_type, request.body, dialect.rent_content)?;
        let offer = self.catalogue.find(&slug, dialect)?;
        let key = match dialect.idempotency {
            Idempotency::Honoured => idempotency::read(request.idempotency_key)?,
            Idempotency::Ignored => None,
        };
        let Some(key) = key else {
            return self.rent_number(place, offer, (times, sms));
        };
        let slug = slug.to_ascii_lowercase();
        match account.idempotency.look_up(times.now, key, &slug) {
            Known::Answered(answer) => {
                let mut reply = Reply {
                    delivery: Delivery::Whole { at: times.at },
                    ..answer?
                };
                let (name, value) = idempotency::REPEATED;
                reply.add_header(name, value);
                Ok(reply)
            }
            Known::Other => Err(Problem::IdempotencyKeyReused),
            Known::New => {
                let answer = self.rent_number(place, offer, (times, sms));
                let account = &mut self.accounts[place as usize];
                account
                    .idempotency
                    .remember(times.now, (key, &slug), &answer);
                answer
            }
        }
    }

    fn rent_number(
        &mut self,
        place: u32,
        offer: Offer,
        (times, sms): (Times, SmsPlan),
    ) -> Result<Reply, Problem> {
        let account = &mut self.accounts[place as usize];
        let id = self.register.next_id();
        let rental = account.rent(times.now, offer, id, sms)?;
        let index = account.rentals().len() as u32 - 1;
        self.register.enter(Place {
            account: place,
            index,
        });
        let first = DeliveryId::drawn(id, sms::FIRST);
        let webhooks = &mut self.accounts[place as usize].webhooks;
        webhooks.remember(id, sms.webhook);
        self.plan_webhook(place, first);
        if sms.duplicated {
            self.plan_webhook(place, first.copied(CopyOf::Sms));
        }
        if sms.second_after.is_some() {
            self.plan_webhook(place, DeliveryId::drawn(id, sms::FIRST + 1));
        }
        if self.is_heard() {
            self.tell_made(place, id);
        }
        let settings = &self.accounts[place as usize].settings;
        let names = self.catalogue.names(&rental);
        let body = rented(&rental, names, settings.rental_life);
        Ok(Reply {
            status: match settings.dialect.rent_status {
                RentStatus::Ok => 200,
                RentStatus::Created => 201,
            },
            ..Reply::success(settings.dialect.json(&body), times.at)
        })
    }
}

fn rented<'a>(rental: &Rental, names: Names<'a>, life: Duration) -> Rent<'a> {
    Rent {
        success: true,
        message: body::RENTED.into(),
        rental: body::Rental {
            id: u64::from(rental.id),
            phone: rental.phone.digits().into(),
            service: names.rent,
            cost: rental.service.price,
            // Rounded up, because a life of half a second is not one of none.
            expires_in_seconds: life.as_millis().div_ceil(1000) as u64,
        },
    }
}
