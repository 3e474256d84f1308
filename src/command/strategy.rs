//! A scenario's polling strategy, worked out for the mock that it runs against.

use anyhow::bail;
use loadgen_core::scenario::Scenario;
use loadgen_sim::polling::settle;
use mock_server_core::Settings;

/// Whether webhooks reach the customers of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Webhooks {
    /// The mock's go straight to them.
    Simulated,
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
        if polling.webhook().is_some() && webhooks == Webhooks::Unheard {
            bail!(
                "{polling} can be compared and simulated (otplab polling compare, otplab \
                 simulate), but not run: customers of load get no webhooks; write for instance \
                 optimal(lambda=1s)"
            );
        }
        let deadline = plan.give_up.unwrap_or(settings.account.rental_life);
        plan.polling = settle(polling, &settings.account.sms_delay, deadline)?;
    }
    Ok(())
}
