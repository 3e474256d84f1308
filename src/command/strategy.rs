//! A scenario's polling strategy, worked out for the mock that it runs against.

use loadgen_core::scenario::Scenario;
use loadgen_sim::polling::settle;
use mock_server_core::Settings;

/// Works out what is planned: for the mock's law, and for the deadline that
/// customers have.
pub(crate) fn prepare(scenario: &mut Scenario, settings: &Settings) -> anyhow::Result<()> {
    for plan in scenario.customers.plans_mut() {
        let deadline = plan.give_up.unwrap_or(settings.account.rental_life);
        plan.polling = settle(&plan.polling, &settings.account.sms_delay, deadline)?;
    }
    Ok(())
}
