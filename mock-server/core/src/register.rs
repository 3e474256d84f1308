//! Which rental an id means. Ids are handed out over the whole server in the
//! order of arrival, so a list is all it takes, as long as none is let go.

use rustc_hash::FxHashMap;

/// The documentation's own id is the first, so that ours look like it and fit 32 bits.
const FIRST_ID: u32 = 13_322_954;

/// Where a rental is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Which account, in the order in which they were opened.
    pub(crate) account: u32,
    /// Which of its rentals, in the order in which they were made.
    pub(crate) index: u32,
}

impl Place {
    /// Of an id that was given elsewhere, and belongs to nothing here.
    const VACANT: Self = Self {
        account: u32::MAX,
        index: 0,
    };
}

/// All rentals of a server by id.
#[derive(Debug, Default)]
pub(crate) struct Register {
    places: Places,
}

#[derive(Debug)]
enum Places {
    /// Of every id, in their order.
    Every(Vec<Place>),
    /// Of so many ids those that were not let go.
    Some(u32, FxHashMap<u32, Place>),
}

impl Default for Places {
    fn default() -> Self {
        Self::Every(Vec::new())
    }
}

impl Register {
    /// The id that the next rental gets.
    pub(crate) fn next_id(&self) -> u32 {
        FIRST_ID + self.len() as u32
    }

    /// How many ids were given.
    pub(crate) fn len(&self) -> usize {
        match &self.places {
            Places::Every(places) => places.len(),
            Places::Some(given, _) => *given as usize,
        }
    }

    /// Gives the next id to the rental at `place`.
    pub(crate) fn enter(&mut self, place: Place) {
        match &mut self.places {
            Places::Every(places) => places.push(place),
            Places::Some(given, places) => {
                places.insert(*given, place);
                *given += 1;
            }
        }
    }

    /// Where the rental with this id is.
    pub(crate) fn place(&self, id: u32) -> Option<Place> {
        let position = id.checked_sub(FIRST_ID)?;
        let place = match &self.places {
            Places::Every(places) => places.get(position as usize).copied(),
            Places::Some(_, places) => places.get(&position).copied(),
        };
        place.filter(|place| *place != Place::VACANT)
    }

    /// Gives no id below `next` any more.
    pub(crate) fn reserve(&mut self, next: u32) {
        let length = next.saturating_sub(FIRST_ID);
        match &mut self.places {
            Places::Every(places) => {
                let length = places.len().max(length as usize);
                places.resize(length, Place::VACANT);
            }
            Places::Some(given, _) => *given = length.max(*given),
        }
    }

    /// The rental with this id is let go.
    pub(crate) fn vacate(&mut self, id: u32) {
        if let Places::Every(places) = &self.places {
            let taken = (0..)
                .zip(places)
                .filter(|(_, place)| **place != Place::VACANT);
            let taken = taken.map(|(position, place)| (position, *place)).collect();
            self.places = Places::Some(places.len() as u32, taken);
        }
        if let Places::Some(_, places) = &mut self.places {
            places.remove(&(id - FIRST_ID));
        }
    }

    /// How many ids there are below `next`.
    pub(crate) const fn distance(next: u32) -> u32 {
        next.saturating_sub(FIRST_ID)
    }

    /// Whether `id` was given where `next` is the next.
    pub(crate) const fn covers(id: u32, next: u32) -> bool {
        FIRST_ID <= id && id < next
    }

    /// The rental with this id is at `index` of `account` again.
    pub(crate) fn restore(&mut self, id: u32, (account, index): (u32, u32)) {
        self.reserve(id + 1);
        let place = Place { account, index };
        match &mut self.places {
            Places::Every(places) => places[(id - FIRST_ID) as usize] = place,
            Places::Some(_, places) => {
                places.insert(id - FIRST_ID, place);
            }
        }
    }

    /// The id that stands in a path: decimal digits as we write them, without a
    /// sign or leading zeros.
    pub(crate) fn id(written: &str) -> Option<u32> {
        // A sign is the only thing that parsing takes and we do not write.
        let canonical = !written.starts_with(['0', '+']);
        written.parse().ok().filter(|_| canonical)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_begin_with_the_documentations_and_are_read_strictly() {
        let mut register = Register::default();
        assert_eq!(register.next_id(), 13_322_954);
        let place = Place {
            account: 3,
            index: 0,
        };
        register.enter(place);
        assert_eq!(register.next_id(), 13_322_955);
        let find = |written| Register::id(written).and_then(|id| register.place(id));
        assert_eq!(find("13322954"), Some(place));
        for unknown in [
            "13322955",
            "13322953",
            "0",
            "+13322954",
            "013322954",
            "13322954 ",
            "x",
            "99999999999",
        ] {
            assert_eq!(find(unknown), None, "{unknown}");
        }
    }
}
