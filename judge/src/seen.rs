//! The evidence while it is being gathered. It can be read from any thread at
//! any moment, because a panic may be told on another thread than the check's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use judge_core::evidence::Evidence;

/// What has been seen so far, shared.
#[derive(Clone, Debug)]
pub(crate) struct Seen(Arc<Mutex<Evidence>>);

/// That of the check which began last, until it ends.
static UNDER_WAY: Mutex<Option<Seen>> = Mutex::new(None);

impl Seen {
    /// Begins with this much.
    pub(crate) fn begin(evidence: Evidence) -> Self {
        let seen = Self(Arc::new(Mutex::new(evidence)));
        *UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen.clone());
        seen
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Evidence> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The check is over.
    pub(crate) fn end(&self) {
        let mut under_way = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.take_if(|last| Arc::ptr_eq(&last.0, &self.0));
    }
}

/// What the check that began last has seen so far, if there is one that has not
/// ended: for a panic hook, which is all that is left to run where a panic ends
/// the process. It never waits: who panics may hold the lock.
#[must_use]
pub fn under_way() -> Option<Evidence> {
    let seen = attempt(&UNDER_WAY)?.clone()?;
    let evidence = attempt(&seen.0)?.clone();
    Some(evidence)
}

fn attempt<T>(lock: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match lock.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}
