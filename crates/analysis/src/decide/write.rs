//! From a playbook back to its text form.

use riskgraph_domain::EntityKey;
use riskgraph_domain::playbook::{ApprovalRule, OnFailure, Playbook, PlaybookTest, Retry, Step, StepKind, TestEntity};
use riskgraph_domain::text::Text;

use super::check::{ATTEMPTS_DEFAULT, BACKOFF_DEFAULT_S, TIMEOUT_DEFAULT_S};
use super::duration;
use super::source::{RawApproval, RawEntity, RawExpect, RawKey, RawPlaybook, RawRetry, RawStep, RawTest};

pub(super) fn raw(playbook: &Playbook) -> RawPlaybook {
    RawPlaybook {
        name: playbook.name.to_string(),
        title: playbook.title.clone(),
        description: playbook.description.clone(),
        enabled: playbook.enabled,
        trigger: playbook.trigger.clone(),
        limits: playbook.limits,
        steps: playbook.steps.iter().map(step).collect(),
        tests: playbook.tests.iter().map(test).collect(),
    }
}

pub(super) fn step(step: &Step) -> RawStep {
    let retry = (step.retry != Retry { attempts: ATTEMPTS_DEFAULT, backoff_s: BACKOFF_DEFAULT_S })
        .then(|| RawRetry { attempts: step.retry.attempts, backoff: duration::print(step.retry.backoff_s) });
    let mut raw = RawStep {
        id: step.id.to_string(),
        title: (step.title != step.id.as_str()).then(|| step.title.clone()),
        timeout: (step.timeout_s != TIMEOUT_DEFAULT_S).then(|| duration::print(step.timeout_s)),
        retry,
        on_failure: match &step.on_failure {
            OnFailure::Abort => None,
            OnFailure::Continue => Some("continue".to_owned()),
            OnFailure::Compensate => Some("compensate".to_owned()),
            OnFailure::Step(id) => Some(id.to_string()),
        },
        approval: step.approval.as_ref().map(approval),
        expires_after: step.expires_after_s.map(duration::print),
        ..RawStep::default()
    };
    match &step.kind {
        StepKind::Action(action) => {
            raw.action = Some(action.action.to_string());
            raw.connector = action.connector.as_ref().map(ToString::to_string);
            raw.targets.clone_from(&action.targets);
            raw.parameters = (!action.parameters.is_empty()).then(|| action.parameters.clone());
        }
        StepKind::If { condition, then, otherwise } => {
            raw.condition = Some(condition.clone());
            raw.then = Some(names(then));
            raw.otherwise = (!otherwise.is_empty()).then(|| names(otherwise));
        }
        StepKind::Parallel { steps } => raw.parallel = Some(names(steps)),
        StepKind::Sequence { steps } => raw.sequence = Some(names(steps)),
        StepKind::Ask(question) => {
            raw.ask = Some(question.text.clone());
            raw.role = Some(question.role.as_str().to_owned());
            raw.within = Some(duration::print(question.answer_within_s));
            raw.default = Some(question.default.as_str().to_owned());
        }
        StepKind::Notify { channel, text } => {
            raw.notify = Some(channel.to_string());
            raw.text = Some(text.clone());
        }
        StepKind::Wait { seconds } => raw.wait = Some(duration::print(*seconds)),
    }
    raw
}

fn approval(rule: &ApprovalRule) -> RawApproval {
    RawApproval {
        role: rule.role.as_str().to_owned(),
        needed: rule.needed,
        four_eyes: (rule.four_eyes != (rule.needed > 1)).then_some(rule.four_eyes),
        timeout: duration::print(rule.within_s),
        default: rule.default.as_str().to_owned(),
    }
}

fn names(ids: &[Text]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn test(test: &PlaybookTest) -> RawTest {
    let key = |key: &EntityKey| RawKey { kind: key.kind.as_str().to_owned(), key: key.key.to_string() };
    RawTest {
        name: test.name.clone(),
        failing: names(&test.failing),
        never_touch: test.never_touch.iter().map(key).collect(),
        entities: test.entities.iter().map(entity).collect(),
        related: test.related.iter().map(entity).collect(),
        alert: test.alert.clone(),
        answers: test.answers.iter().map(|(step, answer)| (step.to_string(), answer.to_string())).collect(),
        expect: RawExpect {
            matches: test.expect.matches,
            effects: test.expect.effects.clone(),
            refusals: test.expect.refusals.clone(),
            undone: test.expect.undone.clone(),
            state: test.expect.state.map(|state| state.as_str().to_owned()),
        },
    }
}

fn entity(entity: &TestEntity) -> RawEntity {
    RawEntity {
        kind: entity.key.kind.as_str().to_owned(),
        key: entity.key.key.to_string(),
        role: entity.role.to_string(),
        money_minor: entity.money_minor,
        traffic_share: entity.traffic_share,
    }
}
