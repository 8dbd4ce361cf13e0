//! From the text form to a playbook: every field in its range, every expression readable, every step reachable.

use std::collections::{BTreeMap, BTreeSet};

use riskgraph_domain::access::Role;
use riskgraph_domain::playbook::{
    ActionStep, Answer, ApprovalRule, Expectation, OnFailure, Playbook, PlaybookTest, Question, Retry, RunState,
    SafeDefault, Step, StepKind, TestEntity,
};
use riskgraph_domain::{EntityKey, EntityKind, Text};

use super::facts::{VARIABLES, VARIABLES_AT_TARGET};
use super::source::{Problem, RawApproval, RawEntity, RawPlaybook, RawStep, RawTest};
use super::{condition, duration, template};

/// Steps of one playbook: more than a person can follow.
const STEPS_MAX: usize = 64;
/// Tests of one playbook.
const TESTS_MAX: usize = 64;
/// Steps within steps.
const DEPTH_MAX: usize = 8;
const NAME_MAX: usize = 64;
const TITLE_MAX: usize = 200;
const DESCRIPTION_MAX: usize = 4_000;
/// Parameters of an action, as JSON text.
const PARAMETERS_MAX: usize = 8 * 1024;
const TIMEOUT_MAX_S: u32 = 600;
const ATTEMPTS_MAX: u32 = 10;
const WAIT_MAX_S: u32 = 7 * 86_400;
const ANSWER_MAX_S: u32 = 7 * 86_400;
const EXPIRY_MAX_S: u32 = 90 * 86_400;
const APPROVERS_MAX: u32 = 5;

/// What holds where a step does not say.
pub(super) const TIMEOUT_DEFAULT_S: u32 = 30;
pub(super) const ATTEMPTS_DEFAULT: u32 = 3;
pub(super) const BACKOFF_DEFAULT_S: u32 = 2;

/// Checks the whole.
pub(super) fn playbook(raw: RawPlaybook) -> Result<Playbook, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut say = |place: &str, field: &str, message: String| problems.push(Problem::new(place, field, message));
    if let Err(message) = slug(&raw.name) {
        say("", "name", message);
    }
    length(&raw.title, 1, TITLE_MAX).unwrap_or_else(|message| say("", "title", message));
    length(&raw.description, 0, DESCRIPTION_MAX).unwrap_or_else(|message| say("", "description", message));
    if let Err(message) = condition::compile(&raw.trigger, VARIABLES) {
        say("", "trigger", message);
    }
    if raw.limits.traffic_share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
        say("", "limits.traffic_share", "write a share from 0 to 1".to_owned());
    }
    if raw.limits.money_minor.is_some_and(|money| !(0.0..=1e15).contains(&money)) {
        say("", "limits.money_minor", "write an amount of at least 0".to_owned());
    }
    if raw.steps.is_empty() || raw.steps.len() > STEPS_MAX {
        say("", "step", format!("write 1 to {STEPS_MAX} steps, each under [[step]]"));
    }
    if raw.tests.len() > TESTS_MAX {
        say("", "test", format!("write at most {TESTS_MAX} tests"));
    }
    let mut steps = Vec::with_capacity(raw.steps.len());
    for step in raw.steps.into_iter().take(STEPS_MAX) {
        steps.push(one_step(step, &mut problems));
    }
    let mut tests = Vec::with_capacity(raw.tests.len());
    for test in raw.tests.into_iter().take(TESTS_MAX) {
        let name = test.name.clone();
        match one_test(test, &steps) {
            Ok(test) => tests.push(test),
            Err((field, message)) => problems.push(Problem::new(format!("test '{name}'"), field, message)),
        }
    }
    let playbook = Playbook {
        name: raw.name.into(),
        title: raw.title,
        description: raw.description,
        enabled: raw.enabled,
        trigger: raw.trigger,
        limits: raw.limits,
        steps,
        tests,
    };
    structure(&playbook, &mut problems);
    if problems.is_empty() { Ok(playbook) } else { Err(problems) }
}

/// Ids are unique, children exist and have one parent, everything is reached, nothing contains itself.
fn structure(playbook: &Playbook, problems: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    let mut parents: BTreeMap<&Text, &Text> = BTreeMap::new();
    for step in &playbook.steps {
        let place = format!("step '{}'", step.id);
        if !seen.insert(&step.id) {
            problems.push(Problem::new(&*place, "id", "another step has this id; give each its own"));
        }
        for child in step.children() {
            if playbook.step(child).is_none() {
                problems.push(Problem::new(
                    &*place,
                    "",
                    format!("it names the step '{child}', which does not exist; add it"),
                ));
            }
            if let Some(other) = parents.insert(child, &step.id) {
                let message = format!("the step '{child}' is named here and by '{other}'; a step stands in one place");
                problems.push(Problem::new(&*place, "", message));
            }
        }
    }
    if !problems.is_empty() {
        return;
    }
    let mut reached = BTreeSet::new();
    let mut open: Vec<(&Text, usize)> = playbook.main().into_iter().map(|id| (id, 1)).collect();
    while let Some((id, depth)) = open.pop() {
        if depth > DEPTH_MAX {
            problems.push(Problem::new(
                format!("step '{id}'"),
                "",
                format!("steps are nested deeper than {DEPTH_MAX}"),
            ));
            return;
        }
        if reached.insert(id)
            && let Some(step) = playbook.step(id)
        {
            open.extend(step.children().map(|child| (child, depth + 1)));
        }
    }
    for step in playbook.steps.iter().filter(|step| !reached.contains(&step.id)) {
        problems.push(Problem::new(format!("step '{}'", step.id), "", "it contains itself; break the circle"));
    }
}

/// Checks one step; what is wrong goes to the problems and a harmless value in its place.
fn one_step(raw: RawStep, problems: &mut Vec<Problem>) -> Step {
    let place = format!("step '{}'", raw.id);
    let mut say = |field: &str, message: String| problems.push(Problem::new(&*place, field, message));
    if let Err(message) = slug(&raw.id) {
        say("id", message);
    }
    let title = raw.title.clone().unwrap_or_else(|| raw.id.clone());
    length(&title, 1, TITLE_MAX).unwrap_or_else(|message| say("title", message));
    let mut seconds = |field: &str, text: Option<&String>, default: u32, max: u32| match text {
        None => default,
        Some(text) => duration::parse(text, max).unwrap_or_else(|message| {
            problems.push(Problem::new(&*place, field, message));
            default
        }),
    };
    let timeout_s = seconds("timeout", raw.timeout.as_ref(), TIMEOUT_DEFAULT_S, TIMEOUT_MAX_S).max(1);
    let backoff_s = seconds("retry.backoff", raw.retry.as_ref().map(|retry| &retry.backoff), BACKOFF_DEFAULT_S, 300);
    let expires_after_s =
        raw.expires_after.as_ref().map(|text| seconds("expires_after", Some(text), 0, EXPIRY_MAX_S).max(1));
    let mut say = |field: &str, message: String| problems.push(Problem::new(&*place, field, message));
    let attempts = raw.retry.as_ref().map_or(ATTEMPTS_DEFAULT, |retry| retry.attempts);
    if !(1..=ATTEMPTS_MAX).contains(&attempts) {
        say("retry.attempts", format!("write 1 to {ATTEMPTS_MAX}"));
    }
    let approval = raw.approval.as_ref().and_then(|rule| match approval(rule) {
        Ok(rule) => Some(rule),
        Err((field, message)) => {
            say(field, message);
            None
        }
    });
    let on_failure = match raw.on_failure.as_deref() {
        None | Some("abort") => OnFailure::Abort,
        Some("continue") => OnFailure::Continue,
        Some("compensate") => OnFailure::Compensate,
        Some(id) => OnFailure::Step(id.into()),
    };
    if raw.action.is_none() {
        let only_actions = [
            ("approval", raw.approval.is_some()),
            ("expires_after", raw.expires_after.is_some()),
            ("targets", raw.targets.is_some()),
            ("connector", raw.connector.is_some()),
            ("parameters", raw.parameters.is_some()),
        ];
        for (field, _) in only_actions.iter().filter(|(_, given)| *given) {
            say(field, "only steps with 'action' have it; take it away".to_owned());
        }
    }
    let kind = match kind(&raw) {
        Ok(kind) => kind,
        Err((field, message)) => {
            say(field, message);
            StepKind::Wait { seconds: 0 }
        }
    };
    let retry = Retry { attempts, backoff_s };
    Step { id: raw.id.into(), title, kind, timeout_s, retry, on_failure, approval, expires_after_s }
}

type Wrong = (&'static str, String);

/// The one kind a step has.
fn kind(raw: &RawStep) -> Result<StepKind, Wrong> {
    let given: Vec<&str> = [
        ("action", raw.action.is_some()),
        ("if", raw.condition.is_some()),
        ("parallel", raw.parallel.is_some()),
        ("sequence", raw.sequence.is_some()),
        ("ask", raw.ask.is_some()),
        ("notify", raw.notify.is_some()),
        ("wait", raw.wait.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, given)| given.then_some(name))
    .collect();
    let [kind] = given[..] else {
        let message = "write exactly one of action, if, parallel, sequence, ask, notify, wait";
        return Err((
            "",
            if given.is_empty() { message.to_owned() } else { format!("{message}, not {}", given.join(" and ")) },
        ));
    };
    for (field, given, belongs) in [
        ("then", raw.then.is_some(), "if"),
        ("else", raw.otherwise.is_some(), "if"),
        ("role", raw.role.is_some(), "ask"),
        ("within", raw.within.is_some(), "ask"),
        ("default", raw.default.is_some(), "ask"),
        ("text", raw.text.is_some(), "notify"),
    ] {
        if given && kind != belongs {
            return Err((field, format!("it belongs to steps with '{belongs}'; take it away")));
        }
    }
    match kind {
        "action" => action(raw),
        "if" => {
            let condition = raw.condition.clone().unwrap_or_default();
            condition::compile(&condition, VARIABLES).map_err(|message| ("if", message))?;
            Ok(StepKind::If {
                condition,
                then: ids(raw.then.as_ref(), "then", 0)?,
                otherwise: ids(raw.otherwise.as_ref(), "else", 0)?,
            })
        }
        "parallel" => Ok(StepKind::Parallel { steps: ids(raw.parallel.as_ref(), "parallel", 1)? }),
        "sequence" => Ok(StepKind::Sequence { steps: ids(raw.sequence.as_ref(), "sequence", 1)? }),
        "ask" => ask(raw),
        "notify" => {
            let channel = raw.notify.clone().unwrap_or_default();
            length(&channel, 0, NAME_MAX * 2).map_err(|message| ("notify", message))?;
            let text = raw.text.clone().ok_or_else(|| ("text", "say what to tell".to_owned()))?;
            length(&text, 1, DESCRIPTION_MAX).map_err(|message| ("text", message))?;
            template::check(&text, VARIABLES).map_err(|message| ("text", message))?;
            Ok(StepKind::Notify { channel: channel.into(), text })
        }
        _ => {
            let seconds = duration::parse(raw.wait.as_deref().unwrap_or_default(), WAIT_MAX_S);
            Ok(StepKind::Wait { seconds: seconds.map_err(|message| ("wait", message))? })
        }
    }
}

fn action(raw: &RawStep) -> Result<StepKind, Wrong> {
    let action = raw.action.clone().unwrap_or_default();
    slug(&action).map_err(|message| ("action", message))?;
    if let Some(targets) = &raw.targets {
        condition::compile(targets, VARIABLES).map_err(|message| ("targets", message))?;
    }
    let parameters = raw.parameters.clone().unwrap_or_default();
    if serde_json::to_string(&parameters).map_or(0, |text| text.len()) > PARAMETERS_MAX {
        return Err(("parameters", format!("they are longer than {PARAMETERS_MAX} bytes")));
    }
    let variables = if raw.targets.is_some() { VARIABLES_AT_TARGET } else { VARIABLES };
    for (name, value) in &parameters {
        template::check_value(value, variables).map_err(|message| ("parameters", format!("{name}: {message}")))?;
    }
    let connector = raw.connector.clone().map(Text::from);
    Ok(StepKind::Action(ActionStep { action: action.into(), connector, targets: raw.targets.clone(), parameters }))
}

fn ask(raw: &RawStep) -> Result<StepKind, Wrong> {
    let text = raw.ask.clone().unwrap_or_default();
    length(&text, 1, DESCRIPTION_MAX).map_err(|message| ("ask", message))?;
    template::check(&text, VARIABLES).map_err(|message| ("ask", message))?;
    let within = raw
        .within
        .as_deref()
        .ok_or_else(|| ("within", "say how long to wait for an answer, such as 15m".to_owned()))?;
    let answer_within_s = duration::parse(within, ANSWER_MAX_S).map_err(|message| ("within", message))?;
    let role = role(raw.role.as_deref().unwrap_or("analyst")).map_err(|message| ("role", message))?;
    let default = raw.default.as_deref().unwrap_or("no");
    let default = Answer::parse(default).ok_or_else(|| ("default", format!("'{default}' is neither yes nor no")))?;
    Ok(StepKind::Ask(Question { text, role, answer_within_s, default }))
}

fn approval(raw: &RawApproval) -> Result<ApprovalRule, Wrong> {
    let within_s = duration::parse(&raw.timeout, ANSWER_MAX_S).map_err(|message| ("approval.timeout", message))?;
    let role = role(&raw.role).map_err(|message| ("approval.role", message))?;
    if !(1..=APPROVERS_MAX).contains(&raw.needed) {
        return Err(("approval.needed", format!("write 1 to {APPROVERS_MAX}")));
    }
    let default = SafeDefault::parse(&raw.default)
        .ok_or_else(|| ("approval.default", format!("'{}' is neither reject nor approve", raw.default)))?;
    let four_eyes = raw.four_eyes.unwrap_or(raw.needed > 1);
    Ok(ApprovalRule { role, needed: raw.needed, four_eyes, within_s, default })
}

fn role(text: &str) -> Result<Role, String> {
    match Role::parse(text) {
        Some(role @ (Role::Analyst | Role::Admin)) => Ok(role),
        _ => Err(format!("'{text}' may not decide; write analyst or admin")),
    }
}

fn ids(given: Option<&Vec<String>>, field: &'static str, least: usize) -> Result<Vec<Text>, Wrong> {
    let given = given.map(Vec::as_slice).unwrap_or_default();
    if given.len() < least {
        return Err((field, "name at least one step".to_owned()));
    }
    Ok(given.iter().map(|id| Text::from(id.as_str())).collect())
}

fn one_test(raw: RawTest, steps: &[Step]) -> Result<PlaybookTest, Wrong> {
    let known = |id: &str| steps.iter().any(|step| step.id.as_str() == id);
    if let Some(id) = raw.failing.iter().chain(raw.answers.keys()).find(|id| !known(id)) {
        return Err(("answers", format!("there is no step '{id}'")));
    }
    for answer in raw.answers.values() {
        if !["approve", "reject", "yes", "no"].contains(&answer.as_str()) {
            return Err(("answers", format!("'{answer}' is none of approve, reject, yes, no")));
        }
    }
    let state = raw.expect.state.as_deref().map(|state| {
        RunState::parse(state)
            .ok_or_else(|| ("expect.state", format!("'{state}' is no state of a run such as DONE or REFUSED")))
    });
    let key = |kind: &str, key: &str| {
        let kind = EntityKind::parse(kind)
            .ok_or_else(|| ("entities", format!("'{kind}' is no kind of entity such as USER or ADDRESS")))?;
        Ok(EntityKey::new(kind, key))
    };
    let entity = |raw: &RawEntity| {
        Ok(TestEntity {
            key: key(&raw.kind, &raw.key)?,
            role: raw.role.as_str().into(),
            money_minor: raw.money_minor,
            traffic_share: raw.traffic_share,
        })
    };
    Ok(PlaybookTest {
        entities: raw.entities.iter().map(entity).collect::<Result<_, Wrong>>()?,
        related: raw.related.iter().map(entity).collect::<Result<_, Wrong>>()?,
        never_touch: raw.never_touch.iter().map(|raw| key(&raw.kind, &raw.key)).collect::<Result<_, Wrong>>()?,
        answers: raw.answers.iter().map(|(id, answer)| (id.as_str().into(), answer.as_str().into())).collect(),
        failing: raw.failing.iter().map(|id| id.as_str().into()).collect(),
        expect: Expectation {
            matches: raw.expect.matches,
            effects: raw.expect.effects,
            refusals: raw.expect.refusals,
            undone: raw.expect.undone,
            state: state.transpose()?,
        },
        name: raw.name,
        alert: raw.alert,
    })
}

/// A name for people and machines alike.
fn slug(text: &str) -> Result<(), String> {
    let fits = !text.is_empty()
        && text.len() <= NAME_MAX
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-'));
    let reserved = matches!(text, "abort" | "continue" | "compensate");
    if fits && !reserved {
        return Ok(());
    }
    Err(format!(
        "'{}' cannot be a name; use a-z, 0-9, _ and -, at most {NAME_MAX}",
        text.chars().take(40).collect::<String>()
    ))
}

fn length(text: &str, least: usize, most: usize) -> Result<(), String> {
    let n_chars = text.trim().chars().count();
    if (least..=most).contains(&n_chars) { Ok(()) } else { Err(format!("write {least} to {most} characters")) }
}
