//! The file of known breaches: read before the check, written after it.

use std::fs;

use anyhow::Context;
use judge_core::baseline::Baseline;
use judge_core::verdict::Judgement;

use crate::cli::check::CheckArguments;

/// The baseline of `--baseline`, unless it is about to be written anew.
pub(super) fn read(arguments: &CheckArguments) -> anyhow::Result<Option<Baseline>> {
    let Some(path) = arguments
        .baseline
        .as_ref()
        .filter(|_| !arguments.baseline_update)
    else {
        return Ok(None);
    };
    let shown = path.display();
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read the baseline {shown}"))?;
    Baseline::read(&text)
        .map(Some)
        .with_context(|| format!("{shown}"))
}

/// The baseline to go by: the one that was read, or that of this judgement, which is written.
pub(super) fn settle(
    arguments: &CheckArguments,
    read: Option<Baseline>,
    judgement: &Judgement,
) -> anyhow::Result<Option<Baseline>> {
    let Some(path) = arguments
        .baseline
        .as_ref()
        .filter(|_| arguments.baseline_update)
    else {
        return Ok(read);
    };
    let baseline = Baseline::of(judgement);
    fs::write(path, baseline.text())
        .with_context(|| format!("cannot write the baseline {}", path.display()))?;
    Ok(Some(baseline))
}
