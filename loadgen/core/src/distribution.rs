//! Everything that is measured as a distribution, by name. The names are those
//! of thresholds, of tags in the histogram log and of files.

use std::fmt;
use std::str::FromStr;

use contract::Operation;

use crate::latencies::Latencies;
use crate::place::Place;
use crate::tally::{RentalTally, Tally};

/// Names one histogram of a [`Tally`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Distribution {
    /// From intended to answered.
    Response(Operation),
    /// From sent to answered.
    Service(Operation),
    /// From intended to sent.
    Slip(Operation),
    /// From the SMS being readable to the answer that carried it.
    Lag,
    /// From rent to SMS.
    SmsDelay,
    /// From the answer of rent to the code.
    TimeToCode,
    /// Opening a connection.
    Connect,
    /// From the moment something was due to the moment the generator noticed.
    Lateness,
    /// Of the rentals of one population.
    Of(Place, OfRentals),
}

/// What is measured of rentals, in all and by population.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OfRentals {
    /// See [`Distribution::Lag`].
    Lag,
    /// See [`Distribution::SmsDelay`].
    SmsDelay,
    /// See [`Distribution::TimeToCode`].
    TimeToCode,
}

impl OfRentals {
    const ALL: [Self; 3] = [Self::Lag, Self::SmsDelay, Self::TimeToCode];

    const fn name(self) -> &'static str {
        match self {
            Self::Lag => "lag",
            Self::SmsDelay => "sms_delay",
            Self::TimeToCode => "time_to_code",
        }
    }

    const fn of(self, rentals: &RentalTally) -> &Latencies {
        match self {
            Self::Lag => &rentals.detection_lag,
            Self::SmsDelay => &rentals.sms_delay,
            Self::TimeToCode => &rentals.time_to_code,
        }
    }

    const fn of_mut(self, rentals: &mut RentalTally) -> &mut Latencies {
        match self {
            Self::Lag => &mut rentals.detection_lag,
            Self::SmsDelay => &mut rentals.sms_delay,
            Self::TimeToCode => &mut rentals.time_to_code,
        }
    }
}

/// Of populations that have done nothing.
static EMPTY: Latencies = Latencies::EMPTY;

impl Distribution {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let of_operations = Operation::ALL.into_iter().flat_map(|operation| {
            [
                Self::Response(operation),
                Self::Service(operation),
                Self::Slip(operation),
            ]
        });
        let places = (0..Place::MOST as u8).map(Place);
        let of_populations =
            places.flat_map(|place| OfRentals::ALL.map(|what| Self::Of(place, what)));
        let of_run = [
            Self::Lag,
            Self::SmsDelay,
            Self::TimeToCode,
            Self::Connect,
            Self::Lateness,
        ];
        of_operations.chain(of_run).chain(of_populations)
    }

    /// Its values.
    pub fn of(self, tally: &Tally) -> &Latencies {
        match self {
            Self::Response(operation) => &tally.operation(operation).response,
            Self::Service(operation) => &tally.operation(operation).service,
            Self::Slip(operation) => &tally.operation(operation).slip,
            Self::Lag => &tally.rentals.detection_lag,
            Self::SmsDelay => &tally.rentals.sms_delay,
            Self::TimeToCode => &tally.rentals.time_to_code,
            Self::Connect => &tally.instrument.connect,
            Self::Lateness => &tally.instrument.lateness,
            Self::Of(place, what) => tally
                .populations()
                .get(usize::from(place.0))
                .map_or(&EMPTY, |population| what.of(&population.rentals)),
        }
    }

    /// Where its values are kept.
    pub fn of_mut(self, tally: &mut Tally) -> &mut Latencies {
        match self {
            Self::Response(operation) => &mut tally.operation_mut(operation).response,
            Self::Service(operation) => &mut tally.operation_mut(operation).service,
            Self::Slip(operation) => &mut tally.operation_mut(operation).slip,
            Self::Lag => &mut tally.rentals.detection_lag,
            Self::SmsDelay => &mut tally.rentals.sms_delay,
            Self::TimeToCode => &mut tally.rentals.time_to_code,
            Self::Connect => &mut tally.instrument.connect,
            Self::Lateness => &mut tally.instrument.lateness,
            Self::Of(place, what) => what.of_mut(&mut tally.population(place).rentals),
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response(operation) => write!(f, "{operation}.response"),
            Self::Service(operation) => write!(f, "{operation}.service"),
            Self::Slip(operation) => write!(f, "{operation}.slip"),
            Self::Lag => f.write_str("lag"),
            Self::SmsDelay => f.write_str("sms_delay"),
            Self::TimeToCode => f.write_str("time_to_code"),
            Self::Connect => f.write_str("connect"),
            Self::Lateness => f.write_str("lateness"),
            Self::Of(Place(place), what) => write!(f, "population.{place}.{}", what.name()),
        }
    }
}

/// Nothing of this name is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such distribution")]
pub struct UnknownDistribution;

impl FromStr for Distribution {
    type Err = UnknownDistribution;

    fn from_str(name: &str) -> Result<Self, UnknownDistribution> {
        Self::all()
            .find(|distribution| distribution.to_string() == name)
            .ok_or(UnknownDistribution)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn every_distribution_has_a_name_and_a_place_of_its_own() {
        for distribution in Distribution::all() {
            assert_eq!(distribution.to_string().parse(), Ok(distribution));
            let mut tally = Tally::default();
            distribution.of_mut(&mut tally).record(Duration::ZERO);
            let filled = Distribution::all().filter(|other| other.of(&tally).count() > 0);
            assert_eq!(filled.collect::<Vec<_>>(), [distribution]);
        }
    }
}
