//! `otplab simulate`: a scenario under virtual time.

use anyhow::Context;
use loadgen::directory::Writer;
use loadgen::recorder::Recorder;
use loadgen_core::interval::Interval;
use loadgen_core::scenario::Overrides;
use loadgen_sim::simulation::{Simulation, Witness};

use crate::cli::simulate::SimulateArguments;
use crate::command::scenario::Source;
use crate::command::{embedded, load, report, strategy};
use crate::exit::Exit;

/// Of all chance, where nobody says: a simulation is the same always.
const SEED: u64 = 1;

/// Simulates a scenario and judges it.
pub(crate) fn run(arguments: &SimulateArguments) -> anyhow::Result<Exit> {
    let source = Source::find(&arguments.scenario)?;
    let mut scenario = source.read(overrides(arguments))?;
    load::recording(&mut scenario)?;
    let seed = scenario.seed.unwrap_or(SEED);
    let settings = embedded::settings(&source, arguments.sms_delay.clone(), seed)?;
    strategy::prepare(&mut scenario, &settings)?;
    let heading = format!("# otplab simulate {} --seed {seed}\n\n", source.origin);
    let as_run = source.without_keys(&heading, None);
    let directory = arguments.output.as_deref();
    let mut writer = directory
        .map(|path| Writer::create(path, &as_run))
        .transpose()?;
    let simulation = Simulation {
        scenario: &scenario,
        settings,
        seed,
        link: arguments.link.unwrap_or_default(),
        host: arguments.host.unwrap_or_default(),
        in_full: false,
    };
    if let Some(writer) = &mut writer {
        writer.begin(&simulation.about());
    }
    let simulated = simulation.run(&mut Notes(writer.as_mut()));
    let (run, end) = simulated.with_context(|| format!("failed to simulate {}", source.origin))?;
    report::print(arguments.format, &run, &as_run)?;
    if let Some(mut writer) = writer {
        writer.end(&end);
        writer.finish(&run, &as_run)?;
    }
    load::exit(&run, false)
}

/// Hands the seconds to the directory, if there is one.
struct Notes<'a>(Option<&'a mut Writer>);

impl Witness for Notes<'_> {
    fn second(&mut self, interval: &Interval) {
        if let Some(writer) = &mut self.0 {
            writer.second(interval);
        }
    }
}

fn overrides(arguments: &SimulateArguments) -> Overrides {
    Overrides {
        arrivals: None,
        users: arguments.concurrency,
        rate: arguments.rate,
        duration: arguments.duration.map(|span| span.0),
        count: arguments.count,
        connections: arguments.connections,
        polling: arguments.poll.clone(),
        retry: None,
        thresholds: arguments.threshold.clone(),
        warmup: arguments.warmup,
        seed: arguments.seed,
        accounts: None,
    }
}
