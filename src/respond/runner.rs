//! One run under way: one task, which alone changes the run. What it decides is stored before it is done, and stored again
//! when it is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use riskgraph_analysis::decide::admit;
use riskgraph_analysis::decide::machine::{
    Again, Attempted, Env, Next, Todo, advance, attempted, begin, notified, undone,
};
use riskgraph_domain::command::Change;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::playbook::{
    ApprovalState, Decision, RunChange, RunRecord, RunStep, StepKind, StepState, Telling,
};
use riskgraph_domain::respond::Effect;
use riskgraph_domain::{ApprovalId, EntityKey, Text, Timestamp};
use tokio::sync::mpsc;

use super::act;
use super::core::{Answer, Core, ORDERS_MAX, Order};

/// Effects of one run under way at once.
const AT_ONCE_MAX: usize = 8;
/// Longest sleep of a run that waits: clocks jump.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// Pause before a write is tried again that the store refused; nothing is done meanwhile.
const STORE_PAUSE: Duration = Duration::from_millis(500);
/// Characters of an entry of the alert's timeline.
const TELLING_MAX: usize = 500;

/// How something under way ended.
enum Ended {
    Executed(u32, Attempted),
    Undone(u32, Result<Effect, String>),
    Notified(u32, Result<(), (String, Again)>),
}

/// One run and what is under way of it.
pub(super) struct Runner {
    core: Arc<Core>,
    record: RunRecord,
    /// The record as it is on disk.
    stored: RunRecord,
    orders: mpsc::Receiver<Order>,
    under_way: FuturesUnordered<BoxFuture<'static, Ended>>,
    in_flight: BTreeSet<u32>,
    /// Orders to be answered once the record is stored.
    answers: Vec<Answer>,
}

impl Runner {
    pub(super) fn new(core: Arc<Core>, record: RunRecord, orders: mpsc::Receiver<Order>) -> Self {
        let (under_way, in_flight, answers) = (FuturesUnordered::new(), BTreeSet::new(), Vec::new());
        Self { core, stored: record.clone(), record, orders, under_way, in_flight, answers }
    }

    /// Goes on until nothing is left to do, or the service stops.
    pub(super) async fn run(mut self) {
        loop {
            let next = self.advance();
            let todos = self.begin(&next).await;
            self.store().await;
            if self.core.ground.stop.is_cancelled() {
                return;
            }
            self.start(todos);
            self.tell().await;
            let is_over = !self.record.run.state.is_active() && !self.record.run.ending_under_way();
            if is_over {
                self.core.turnstile.leave(self.record.run.id);
            }
            if is_over && self.in_flight.is_empty() && self.record.run.untold.is_empty() {
                if self.leave().await {
                    return;
                }
                continue;
            }
            self.wait(&next).await;
        }
    }

    /// Asks what comes next; a run that wants to begin must be at its turn.
    fn advance(&mut self) -> Next {
        let now = self.core.ground.clock.now();
        let mut trial = self.record.clone();
        let env = Env { now, behind: None, in_flight: &self.in_flight };
        let next = advance(&mut trial, &env);
        let wants_to_act = next.todos.iter().any(|todo| matches!(todo, Todo::Execute(_)));
        let behind = if wants_to_act { self.core.turnstile.enter(&trial) } else { None };
        if behind.is_none() {
            self.record = trial;
            return next;
        }
        advance(&mut self.record, &Env { now, behind, in_flight: &self.in_flight })
    }

    /// Marks what is about to be done, after asking the rules once more.
    async fn begin(&mut self, next: &Next) -> Vec<Todo> {
        let now = self.core.ground.clock.now();
        let room = AT_ONCE_MAX.saturating_sub(self.in_flight.len());
        let mut begun = Vec::new();
        for &todo in next.todos.iter().take(room) {
            if let Todo::Execute(place) = todo
                && let Some(refused) = self.recheck(place, now).await
            {
                attempted(&mut self.record, place, refused, now);
                continue;
            }
            if !matches!(todo, Todo::Undo(_)) {
                begin(&mut self.record, todo.place(), now);
            }
            begun.push(todo);
        }
        begun
    }

    /// The rules, right before an effect: what was allowed when the run was planned may not be now.
    async fn recheck(&mut self, place: u32, now: Timestamp) -> Option<Attempted> {
        let row = self.record.steps.get(place as usize)?;
        let targets: Vec<EntityKey> = row.target.iter().cloned().collect();
        let key = (self.record.run.id, place);
        let world = match self.core.world(&targets, Some(key)).await {
            Ok(world) => world,
            // Without knowing what it hits nothing is done.
            Err(fault) => {
                let error = format!("the rules could not be asked: {}", fault.message);
                return Some(Attempted::Failed { effect: None, error, again: Again::No });
            }
        };
        let mut row = row.clone();
        if let Some(fresh) = row.target.as_ref().and_then(|target| world.targets.get(target)) {
            row.blast = fresh.blast.clone();
        }
        let used_run = admit::begun(&self.record, place);
        let refused = self.core.ledger.reserve(now, key, &row.blast, |used_hour| {
            let world = admit::World { used_hour: used_hour.clone(), ..world.clone() };
            self.core.rules.recheck(&self.record, &row, &used_run, &world)
        });
        if let Some(mine) = self.record.steps.get_mut(place as usize) {
            mine.blast = row.blast;
        }
        refused.map(|(rule, reason)| Attempted::Refused(rule, reason))
    }

    /// Stores what changed, again and again until it is on disk; then answers who waits for it.
    async fn store(&mut self) {
        let before = &self.stored;
        let steps: Vec<RunStep> = self
            .record
            .steps
            .iter()
            .zip(&before.steps)
            .filter(|(now, then)| now != then)
            .map(|(now, _)| now.clone())
            .collect();
        let approvals: Vec<_> =
            self.record.approvals.iter().filter(|approval| !before.approvals.contains(approval)).cloned().collect();
        let changed = self.record.run != before.run || !steps.is_empty() || !approvals.is_empty();
        if changed || !self.answers.is_empty() {
            let change = RunChange { run: self.record.run.clone(), steps, approvals };
            let mut attempts = 0_u32;
            while let Err(fault) = self.core.store.save(change.clone()).await {
                attempts += 1;
                if attempts.is_power_of_two() {
                    tracing::error!(run = %self.record.run.id, %fault, attempts, "a run cannot be stored; it waits");
                }
                tokio::select! {
                    () = tokio::time::sleep(STORE_PAUSE) => {}
                    () = self.core.ground.stop.cancelled() => return,
                }
            }
            self.stored = self.record.clone();
            self.core.announce(&self.record);
        }
        for answer in self.answers.drain(..) {
            // Who asked may have gone.
            let _ = answer.send(Ok(()));
        }
    }

    /// Lets begun todos run; each was stored as begun.
    fn start(&mut self, todos: Vec<Todo>) {
        for todo in todos {
            let place = todo.place();
            let Some(row) = self.record.steps.get(place as usize).cloned() else { continue };
            let step = self.record.plan.playbook.step(&row.step).cloned();
            let seconds = step.as_ref().map_or(30, |step| step.timeout_s);
            let request = act::request(&self.record, &row, row.expires_at);
            let responder = Arc::clone(&self.core.responders);
            let ended: BoxFuture<'static, Ended> = match todo {
                Todo::Execute(_) => {
                    Box::pin(async move { Ended::Executed(place, act::execute(responder, request, seconds).await) })
                }
                Todo::Undo(_) => {
                    let effect = row.effect.clone();
                    Box::pin(async move { Ended::Undone(place, act::undo(responder, request, effect, seconds).await) })
                }
                Todo::Notify(_) => self.notify(place, &row, step.map(|step| step.kind)),
            };
            self.in_flight.insert(place);
            self.under_way.push(ended);
        }
    }

    fn notify(&mut self, place: u32, row: &RunStep, kind: Option<StepKind>) -> BoxFuture<'static, Ended> {
        let channel = match kind {
            Some(StepKind::Notify { channel, .. }) => channel,
            _ => Text::default(),
        };
        let text = row.said.clone().unwrap_or_default();
        let run = self.record.run.id;
        let id = format!("{run}-{}", row.step);
        self.record.run.untold.push(Telling { key: Text::from(id.as_str()), text: text.clone(), contained_at: None });
        let (notifier, alert) = (self.core.notifier.clone(), self.record.run.alert);
        Box::pin(async move {
            if channel.is_empty() {
                return Ended::Notified(place, Ok(()));
            }
            let told = match notifier {
                Some(notifier) => notifier.notify(&channel, &id, &text, alert).await,
                None => Err(Fault::new(FaultCode::NotFound, format!("there is no channel '{channel}'"))),
            };
            let again = |fault: &Fault| if fault.code.retry() { Again::Yes } else { Again::No };
            Ended::Notified(place, told.map_err(|fault| (fault.message.clone(), again(&fault))))
        })
    }

    /// Writes on the alert what it does not say yet. A repeat after a crash has the same key and says nothing twice.
    async fn tell(&mut self) {
        let mut left = Vec::new();
        for telling in std::mem::take(&mut self.record.run.untold) {
            let by = format!("playbook:{}", self.record.run.name);
            let change = Change::RecordResponse {
                alert: self.record.run.alert,
                key: telling.key.clone(),
                text: telling.text.chars().take(TELLING_MAX).collect(),
                contained_at: telling.contained_at,
            };
            match self.core.ground.desk.change(&by, change).await {
                Ok(()) => {}
                Err(fault) if fault.code.retry() => left.push(telling),
                // The alert is gone; there is nobody left to tell.
                Err(fault) => tracing::warn!(run = %self.record.run.id, %fault, "an alert could not be told of a run"),
            }
        }
        self.record.run.untold = left;
        if self.record.run != self.stored.run {
            self.store().await;
        }
    }

    /// Closes the run's door; `false` when an order came in just before. No order is lost: the door is shut first, then
    /// what is inside is counted.
    async fn leave(&mut self) -> bool {
        self.orders.close();
        let mut late = Vec::new();
        while let Some(order) = self.orders.recv().await {
            late.push(order);
        }
        if late.is_empty() {
            self.core.open.lock().remove(&self.record.run.id);
            return true;
        }
        let (sender, receiver) = mpsc::channel(ORDERS_MAX);
        self.orders = receiver;
        self.core.open.lock().insert(self.record.run.id, sender);
        for order in late {
            self.take(order);
        }
        false
    }

    async fn wait(&mut self, next: &Next) {
        let now = self.core.ground.clock.now();
        let has_more = next.todos.len() > self.in_flight.len() && self.in_flight.len() < AT_ONCE_MAX;
        let until_due = next.due.map_or(SLEEP_MAX, |due| Duration::from_millis(u64::try_from(due - now).unwrap_or(0)));
        let sleep =
            if has_more { Duration::from_millis(5) } else { until_due.clamp(Duration::from_millis(5), SLEEP_MAX) };
        tokio::select! {
            Some(ended) = self.under_way.next(), if !self.under_way.is_empty() => self.end(ended),
            order = self.orders.recv() => if let Some(order) = order { self.take(order) },
            () = tokio::time::sleep(sleep) => {}
            () = self.core.ground.stop.cancelled() => {}
        }
    }

    fn end(&mut self, ended: Ended) {
        let now = self.core.ground.clock.now();
        match ended {
            Ended::Executed(place, outcome) => {
                self.in_flight.remove(&place);
                attempted(&mut self.record, place, outcome, now);
            }
            Ended::Undone(place, outcome) => {
                self.in_flight.remove(&place);
                undone(&mut self.record, place, outcome, now);
            }
            Ended::Notified(place, outcome) => {
                self.in_flight.remove(&place);
                notified(&mut self.record, place, outcome, now);
            }
        }
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Decide(approval, decision, answer) => match self.decide(approval, decision) {
                Ok(()) => self.answers.push(answer),
                Err(fault) => drop(answer.send(Err(fault))),
            },
            Order::End(ending, answer) => {
                let can_undo = self.record.steps.iter().any(|row| row.reversible && row.is_in_force());
                let is_active = self.record.run.state.is_active();
                let fault = match ending.way {
                    riskgraph_domain::playbook::Way::Stop if !is_active => Some("the run has ended; undo it instead"),
                    riskgraph_domain::playbook::Way::Undo if !is_active && !can_undo => {
                        Some("nothing of the run is left to undo")
                    }
                    _ => None,
                };
                if let Some(message) = fault {
                    drop(answer.send(Err(Fault::new(FaultCode::Conflict, message))));
                    return;
                }
                // Who undoes a run tries again what could not be undone before.
                for row in self.record.steps.iter_mut().filter(|row| row.state == StepState::Undoing) {
                    row.not_before = None;
                }
                self.record.run.ending = Some(ending);
                self.answers.push(answer);
            }
        }
    }

    fn decide(&mut self, id: ApprovalId, decision: Decision) -> Result<(), Fault> {
        let now = self.core.ground.clock.now();
        let approval = self.record.approvals.iter_mut().find(|approval| approval.id == id);
        let approval = approval.ok_or_else(|| Fault::not_found("approval"))?;
        if approval.state != ApprovalState::Pending || approval.expires_at <= now {
            return Err(Fault::new(FaultCode::Conflict, "the approval is decided already"));
        }
        if approval.decisions.iter().any(|known| known.by == decision.by || known.token == decision.token) {
            return Err(Fault::new(FaultCode::Conflict, "you have decided this already; another person is needed"));
        }
        let agreed = decision.approved;
        approval.decisions.push(decision);
        let n_agreed = approval.decisions.iter().filter(|known| known.approved).count();
        if !agreed {
            approval.state = ApprovalState::Rejected;
        } else if n_agreed >= approval.needed as usize {
            approval.state = ApprovalState::Approved;
        }
        Ok(())
    }
}
