//! `rent`: a number for one service, and the webhooks that will tell of its SMS.

use std::time::Duration;

use bytes::Bytes;
use contract::Problem;
use contract::body::{self, Rent};

use super::Times;
use crate::fault::SmsPlan;
use crate::mock::Mock;
use crate::register::Place;
use crate::rent_body;
use crate::rental::Rental;
use crate::reply::{Reply, json};
use crate::request::Request;
use crate::sms;
use crate::webhook::{DeliveryId, EventCopy};

impl Mock {
    pub(super) fn rent(
        &mut self,
        place: u32,
        request: &Request<'_>,
        (times, sms): (Times, SmsPlan),
    ) -> Result<Reply, Problem> {
        let service = rent_body::service(request.content_type, request.body)?;
        let id = self.register.next_id();
        let account = &mut self.accounts[place as usize];
        let rental = account.rent(times.now, service, id, sms)?;
        let index = account.rentals().len() as u32 - 1;
        self.register.enter(Place {
            account: place,
            index,
        });
        let first = DeliveryId {
            rental: id,
            sms: sms::FIRST,
            copy: EventCopy::Only,
        };
        self.plan_webhook(place, first);
        if sms.duplicated {
            let copy = EventCopy::Again;
            self.plan_webhook(place, DeliveryId { copy, ..first });
        }
        if sms.second_after.is_some() {
            let sms = sms::FIRST + 1;
            self.plan_webhook(place, DeliveryId { sms, ..first });
        }
        let life = self.accounts[place as usize].settings.rental_life;
        Ok(Reply::success(rented(&rental, life), times.at))
    }
}

fn rented(rental: &Rental, life: Duration) -> Bytes {
    json(&Rent {
        success: true,
        message: body::RENTED.into(),
        rental: body::Rental {
            id: u64::from(rental.id),
            phone: rental.phone.digits().into(),
            service: rental.service.rent_name.into(),
            cost: rental.service.price,
            // Rounded up, because a life of half a second is not one of none.
            expires_in_seconds: life.as_millis().div_ceil(1000) as u64,
        },
    })
}
