//! Which rental an id means. Ids are handed out over the whole server in the
//! order of arrival, so a list is all it takes.

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
    places: Vec<Place>,
}

impl Register {
    /// The id that the next rental gets.
    pub(crate) fn next_id(&self) -> u32 {
        FIRST_ID + self.places.len() as u32
    }

    /// How many ids were given.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Gives the next id to the rental at `place`.
    pub(crate) fn enter(&mut self, place: Place) {
        self.places.push(place);
    }

    /// Where the rental with this id is.
    pub(crate) fn place(&self, id: u32) -> Option<Place> {
        let position = id.checked_sub(FIRST_ID)?;
        let place = self.places.get(position as usize).copied();
        place.filter(|place| *place != Place::VACANT)
    }

    /// Gives no id below `next` any more.
    pub(crate) fn reserve(&mut self, next: u32) {
        let length = next.saturating_sub(FIRST_ID) as usize;
        let length = length.max(self.places.len());
        self.places.resize(length, Place::VACANT);
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
        self.places[(id - FIRST_ID) as usize] = Place { account, index };
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
