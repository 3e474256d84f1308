//! What the documentation leaves open passes, whichever way a server takes:
//! each alternative of each row of CLAUSES part 2, and every preset.

use judge_core::verdict::Outcome;

use super::{checked, complaints, mock, plan};

/// Alternatives by row. `timestamp` has none here: W4 takes seconds only.
pub(super) const ALTERNATIVES: [&str; 74] = [
    "default",
    "laravel",
    "strict",
    "hostile",
    "error_body=laravel",
    "error_body=getatext",
    "error_body=coded",
    "error_body=http200",
    "error_body=html",
    "error_body=empty",
    "unauthorized=403",
    "unauthorized=redirect",
    "unauthorized=200",
    "key_format=any",
    "missing_service=400",
    "unknown_service=404",
    "unknown_service=400",
    "unknown_service=accept",
    "slug_case=lower",
    "rent_content=json",
    "rent_content=form",
    "rent_status=201",
    "insufficient_balance=400",
    "insufficient_balance=422",
    "insufficient_balance=403",
    "insufficient_balance=200",
    "no_numbers=404",
    "no_numbers=422",
    "no_numbers=400",
    "no_numbers=200",
    "no_such_rental=403",
    "no_such_rental=422",
    "no_such_rental=200",
    "expired=waiting",
    "expired=404",
    "expired=410",
    "expired=422",
    "readable=30m",
    "late_sms=delivered",
    "late_sms=charged",
    "repeat_read=first",
    "repeat_read=once",
    "charge=sms",
    "refund=none",
    "refund=30m",
    "refund=unseen",
    "status_words=refunded",
    "status_words=five_sim",
    "status_words=getatext",
    "no_code=empty",
    "no_code=zero",
    "no_code=absent",
    "history_order=oldest",
    "paging=ignored",
    "paging=offset",
    "paging=strict",
    "rate_limit=realistic",
    "rate_limit=hostile",
    "active_rentals=20",
    "webhook_ack=200",
    "webhook_timeout=3s",
    "webhook_timeout=15s",
    "webhook_retry=none",
    "webhook_retry=vonage",
    "webhook_signature=secret",
    "webhook_order=webhook_first(500ms)",
    "webhook_order=before_rent_answer",
    "webhook_order=delayed(2s)",
    "webhook_duplicate=0.5",
    "webhook_duplicate=concurrent",
    "idempotency=honoured",
    "time_zone=Etc/GMT+1",
    "wrong_method=404",
    "extra_fields=some",
];

fn tried(dialect: &str) -> Option<String> {
    let server = mock(dialect);
    let (_, judgement) = checked(&plan(server.address()));
    let missed: Vec<_> = judgement.missed().map(|judged| judged.summary()).collect();
    (judgement.outcome() != Outcome::Held).then(|| {
        format!(
            "{dialect} gives\n  {}\n  {}",
            complaints(&judgement).join("\n  "),
            missed.join("\n  ")
        )
    })
}

#[test]
fn every_alternative_passes() {
    let handles = ALTERNATIVES.chunks(19).map(|some| {
        std::thread::spawn(move || {
            some.iter()
                .filter_map(|dialect| tried(dialect))
                .collect::<Vec<_>>()
        })
    });
    let handles: Vec<_> = handles.collect();
    let wrong: Vec<_> = handles
        .into_iter()
        .flat_map(|handle| handle.join().expect("no panic"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
