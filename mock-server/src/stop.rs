//! The request to stop, as everything that runs sees it.

use tokio::sync::watch;

/// Whoever holds this may ask for the stop.
#[derive(Debug)]
pub(crate) struct StopSwitch(watch::Sender<bool>);

/// Whoever holds this hears of it.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<bool>);

/// A switch and its first listener; the others are clones.
pub(crate) fn channel() -> (StopSwitch, Stop) {
    let (sender, receiver) = watch::channel(false);
    (StopSwitch(sender), Stop(receiver))
}

impl StopSwitch {
    /// Asks everything to come to an end.
    pub(crate) fn request(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Waits until somebody asks. A switch that is gone counts as asking.
    pub(crate) async fn requested(mut self) {
        let _ = self.0.wait_for(|requested| *requested).await;
    }
}
