//! A scenario's polling strategy, worked out for the mock that it runs against.

use anyhow::bail;
use loadgen_core::scenario::Scenario;
use loadgen_sim::polling::settle;
use mock_server_core::Settings;

/// Whether webhooks reach the customers of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Webhooks {
    /// The generator listens for them.
    Heard,
    /// Nobody listens.
    Unheard,
}

/// Works out what is planned: for the mock's law, and for the deadline that
/// customers have. What a fleet cannot follow is refused.
pub(crate) fn prepare(
    scenario: &mut Scenario,
    settings: &Settings,
    webhooks: Webhooks,
) -> anyhow::Result<()> {
    for plan in scenario.customers.plans_mut() {
        let polling = &plan.polling;
        if polling.learns().is_some() {
            bail!(
                "{polling} can be compared (otplab polling compare), but not run: customers of \
                 load and simulate do not learn; write for instance optimal(lambda=1s)"
            );
        }
        if polling.webhook().is_some() && webhooks == Webhooks::Unheard {
            bail!(
                "{polling} can be compared and run (otplab polling compare, otplab load), but not \
                 simulated: simulated customers get no webhooks; write for instance \
                 optimal(lambda=1s)"
            );
        }
        let deadline = plan.give_up.unwrap_or(settings.account.rental_life);
        plan.polling = settle(polling, &settings.account.sms_delay, deadline)?;
    }
    Ok(())
}
