//! One call of a responder: bounded in time, its garbage cut, its panics caught.

use std::sync::Arc;
use std::time::Duration;

use riskgraph_analysis::decide::machine::{Again, Attempted};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::playbook::{RunRecord, RunStep};
use riskgraph_domain::respond::{ActionRequest, Effect, PlannedEffect, Responder};
use riskgraph_domain::{Text, Timestamp};

/// Looks at the real thing before an effect counts as not there; systems take a moment to take up a change.
const LOOKS_MAX: u32 = 5;
/// Wait before the second look; doubles from there.
const LOOK_WAIT: Duration = Duration::from_millis(250);
/// Bytes of a receipt as text.
const RECEIPT_MAX: usize = 4 * 1024;
/// Characters of a responder's text that are kept.
const TEXT_MAX: usize = 500;

/// The request for a row.
pub(super) fn request(record: &RunRecord, row: &RunStep, expires_at: Option<Timestamp>) -> ActionRequest {
    ActionRequest {
        action: row.action.clone().unwrap_or_default(),
        connector: row.connector.clone().unwrap_or_default(),
        target: row.target.clone(),
        parameters: row.parameters.clone(),
        idempotency_key: row.key.clone().unwrap_or_else(|| Text::from(record.run.id.to_string())),
        expires_at,
        reason: format!("alert {}: {}", record.run.alert, cut(&record.run.about)),
    }
}

/// Runs a call on a task of its own, at most this long.
async fn bounded<T, F>(seconds: u32, call: F) -> Result<T, Fault>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Fault>> + Send + 'static,
{
    let limit = Duration::from_secs(u64::from(seconds.max(1)));
    let task = tokio::spawn(tokio::time::timeout(limit, call));
    match task.await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(Fault::new(FaultCode::Upstream, format!("no answer within {seconds} s"))),
        Err(_) => Err(Fault::new(FaultCode::Internal, "the connector broke down")),
    }
}

/// What it would do.
pub(super) async fn dry_run(
    responder: &Arc<dyn Responder>,
    request: ActionRequest,
    seconds: u32,
) -> Result<PlannedEffect, Fault> {
    let responder = Arc::clone(responder);
    let planned = bounded(seconds, async move { responder.dry_run(&request).await }).await?;
    Ok(PlannedEffect { text: cut(&planned.text), ..planned })
}

/// Executes and looks at the real thing.
pub(super) async fn execute(responder: Arc<dyn Responder>, request: ActionRequest, seconds: u32) -> Attempted {
    let again = |fault: &Fault| if fault.code.retry() { Again::Yes } else { Again::No };
    let executing = {
        let (responder, request) = (Arc::clone(&responder), request.clone());
        async move { responder.execute(&request).await }
    };
    let effect = match bounded(seconds, executing).await {
        Ok(effect) => tidy(effect),
        Err(fault) => return Attempted::Failed { effect: None, error: fault.message.clone(), again: again(&fault) },
    };
    let looking = {
        let effect = effect.clone();
        async move {
            let mut wait = LOOK_WAIT;
            for look in 1.. {
                let seen = responder.verify(&request, &effect).await;
                match seen {
                    Ok(seen) if seen.holds || look >= LOOKS_MAX => return Ok(seen),
                    Err(fault) if look >= LOOKS_MAX || !fault.code.retry() => return Err(fault),
                    _ => {}
                }
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            Err(Fault::new(FaultCode::Internal, "nobody looked"))
        }
    };
    match bounded(seconds, looking).await {
        Ok(seen) if seen.holds => Attempted::Done { effect, verified: true, seen: cut(&seen.text) },
        Ok(seen) => {
            let error = format!("the effect is not there: {}", cut(&seen.text));
            Attempted::Failed { effect: Some(effect), error, again: Again::Yes }
        }
        Err(fault) => {
            let error = format!("done, but it cannot be verified: {}", cut(&fault.message));
            Attempted::Failed { effect: Some(effect), error, again: again(&fault) }
        }
    }
}

/// Takes back what the request's key did. An effect whose answer was never heard may be there all the same.
pub(super) async fn undo(
    responder: Arc<dyn Responder>,
    request: ActionRequest,
    effect: Option<Effect>,
    seconds: u32,
) -> Result<Effect, String> {
    let unheard = || Effect { text: String::new(), ours: true, receipt: serde_json::Value::Null };
    let effect = effect.unwrap_or_else(unheard);
    let undone = bounded(seconds, async move { responder.undo(&request, &effect).await }).await;
    undone.map(tidy).map_err(|fault| cut(&fault.message))
}

fn tidy(effect: Effect) -> Effect {
    let fits = serde_json::to_string(&effect.receipt).is_ok_and(|text| text.len() <= RECEIPT_MAX);
    Effect { text: cut(&effect.text), receipt: if fits { effect.receipt } else { serde_json::Value::Null }, ..effect }
}

fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect()
}
