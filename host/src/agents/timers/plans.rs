//! Whether the schedules that a group's state knows are those of the manifest.

use std::sync::Arc;

use wasmill_registry::Cron;

use super::firing::next;
use crate::capabilities::StateView;
use crate::capabilities::timers::Planned;
use crate::runtime::bindings::errors::Error;
use crate::streams::{StateChange, StateReader};

/// The partition whose owner fires schedules: every group has it, and one member owns it.
pub(super) const PARTITION: u32 = 0;

/// What must change in the state of [`PARTITION`] so that it knows the schedules of the manifest: new ones, and those
/// with another text, begin now; those that are gone wait no more.
///
/// # Errors
/// Those of the log.
pub fn changes(state: &Arc<dyn StateReader>, crons: &[Cron], now_ms: u64) -> Result<Vec<StateChange>, Error> {
    let mut view = StateView::new(state.clone(), PARTITION, u64::MAX, String::new());
    let known = view.planned()?;
    let is_same = |cron: &Cron, planned: &Planned| {
        planned.name == cron.name.as_bytes() && planned.schedule == cron.schedule.to_string().as_bytes()
    };
    for gone in known.iter().filter(|planned| !crons.iter().any(|cron| cron.name.as_bytes() == planned.name)) {
        view.plan(&gone.name, None)?;
    }
    for cron in crons.iter().filter(|cron| !known.iter().any(|planned| is_same(cron, planned))) {
        view.plan(cron.name.as_bytes(), next(cron, now_ms))?;
    }
    Ok(view.take_changes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capabilities::timers::{due, next_due};
    use crate::streams::{NoState, Overlay};

    fn cron(name: &str, schedule: &str) -> Cron {
        Cron { name: name.into(), schedule: schedule.parse().unwrap(), payload: String::new() }
    }

    #[test]
    fn a_state_follows_the_manifest_and_what_stays_the_same_keeps_its_moment() {
        const MINUTE: u64 = 60_000;
        let kept = Arc::new(Overlay::new(Arc::new(NoState)));
        let state: Arc<dyn StateReader> = kept.clone();
        let follow = |crons: &[Cron], now_ms: u64| {
            let changes = changes(&state, crons, now_ms).unwrap();
            kept.add(&changes);
            changes.len()
        };
        let waiting = || {
            let all = due(&*state, PARTITION, u64::MAX, 10, 1000).unwrap().into_iter();
            all.map(|due| (String::from_utf8(due.name).unwrap(), due.due_ms)).collect::<Vec<_>>()
        };
        follow(&[cron("a", "* * * * *"), cron("b", "*/5 * * * *")], 1);
        assert_eq!(waiting(), [("a".into(), MINUTE), ("b".into(), 5 * MINUTE)]);
        assert_eq!(next_due(&*state, PARTITION).unwrap(), Some(MINUTE));
        // Later, nothing new: what was due meanwhile is still due.
        assert_eq!(follow(&[cron("a", "* * * * *"), cron("b", "*/5 * * * *")], 20 * MINUTE), 0);
        follow(&[cron("b", "*/7 * * * *"), cron("c", "* * * * *")], 20 * MINUTE);
        assert_eq!(waiting(), [("b".into(), 21 * MINUTE), ("c".into(), 21 * MINUTE)]);
    }
}
