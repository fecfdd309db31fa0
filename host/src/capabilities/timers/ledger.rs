//! Timers as changes of a state: setting, cancelling, firing.

use super::layout::{
    COUNT_KEY, CRON_PREFIX, Kind, NUMBER_KEY, TIMER_PREFIX, due_key, due_value, name_key, payload, split_moment,
};
use crate::capabilities::errors;
use crate::capabilities::state::StateView;
use crate::permissions::Limit;
use crate::runtime::bindings::errors::Error;
use crate::runtime::bindings::timers::Timer;

/// Most schedules that are looked at; a manifest has fewer.
const CRONS_MAX: usize = 1024;

/// A schedule as the state has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its name.
    pub name: Vec<u8>,
    /// Its text.
    pub schedule: Vec<u8>,
    /// When it is due next, milliseconds since 1970.
    pub due_ms: u64,
}

/// Bytes that a timer counts.
fn size(name: &[u8], payload: &[u8]) -> u64 {
    (name.len() + payload.len()) as u64
}

impl StateView {
    /// Sets a timer; `waiting_max` is the most that may wait.
    pub(super) fn set_timer(
        &mut self,
        name: &str,
        due_ms: u64,
        payload: &[u8],
        waiting_max: &Limit,
    ) -> Result<(), Error> {
        let name = name.as_bytes();
        let old = self.timer(name)?;
        let waiting = self.number(COUNT_KEY)?;
        if old.is_none() && waiting >= waiting_max.value {
            return Err(errors::limit(
                "timer.full",
                format!("{waiting} timers of this partition wait, which is the most: {waiting_max}"),
                "cancel what is not needed, or raise timers_waiting where it is set",
            ));
        }
        self.resize(old.as_ref().map_or(0, |(_, payload)| size(name, payload)), size(name, payload))?;
        match old {
            Some((old_due_ms, _)) => self.put_raw(due_key(old_due_ms, Kind::Timer, name), None),
            None => self.put_number(COUNT_KEY, waiting.saturating_add(1)),
        }
        self.put_raw(due_key(due_ms, Kind::Timer, name), Some(due_value(payload)));
        self.put_raw(name_key(Kind::Timer, name), Some(due_ms.to_be_bytes().to_vec()));
        Ok(())
    }

    /// Removes a timer; false where there is none.
    pub(super) fn remove_timer(&mut self, name: &[u8]) -> Result<bool, Error> {
        let Some((due_ms, payload)) = self.timer(name)? else { return Ok(false) };
        self.resize(size(name, &payload), 0)?;
        let waiting = self.number(COUNT_KEY)?;
        self.put_number(COUNT_KEY, waiting.saturating_sub(1));
        self.put_raw(due_key(due_ms, Kind::Timer, name), None);
        self.put_raw(name_key(Kind::Timer, name), None);
        Ok(true)
    }

    /// Timers by name, after `after`, at most `limit`.
    pub(super) fn timers(&self, after: Option<&str>, limit: usize) -> Result<Vec<Timer>, Error> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let after = after.map(|after| name_key(Kind::Timer, after.as_bytes()));
        let found = self.scan_raw(TIMER_PREFIX, after, limit)?;
        let timer = |(key, value): (Vec<u8>, Vec<u8>)| {
            let name = String::from_utf8(key.get(1..)?.to_vec()).ok()?;
            Some(Timer { name, due_ms: split_moment(&value)?.0 })
        };
        Ok(found.into_iter().filter_map(timer).collect())
    }

    /// Something has fired, as number `number` of this partition: a timer doesn't wait any more, a schedule waits for
    /// `again`.
    ///
    /// # Errors
    /// Those of the log.
    pub fn fired(&mut self, kind: Kind, name: &[u8], number: u64, again: Option<Planned>) -> Result<(), Error> {
        self.put_number(NUMBER_KEY, number.saturating_add(1));
        match kind {
            Kind::Timer => self.remove_timer(name).map(drop),
            Kind::Cron => self.plan(name, again),
        }
    }

    /// The schedules that wait.
    ///
    /// # Errors
    /// Those of the log.
    pub fn planned(&self) -> Result<Vec<Planned>, Error> {
        let found = self.scan_raw(CRON_PREFIX, None, CRONS_MAX)?;
        Ok(found.into_iter().filter_map(|(key, value)| planned(key.get(1..)?, &value)).collect())
    }

    /// Lets a schedule wait for its next time; with none it waits no more.
    ///
    /// # Errors
    /// Those of the log.
    pub fn plan(&mut self, name: &[u8], next: Option<Planned>) -> Result<(), Error> {
        let key = name_key(Kind::Cron, name);
        if let Some(old) = self.get_raw(&key)?.and_then(|value| planned(name, &value)) {
            self.put_raw(due_key(old.due_ms, Kind::Cron, name), None);
        }
        if let Some(next) = &next {
            self.put_raw(due_key(next.due_ms, Kind::Cron, name), Some(due_value(b"")));
        }
        self.put_raw(key, next.map(|next| [&next.due_ms.to_be_bytes()[..], &next.schedule].concat()));
        Ok(())
    }

    /// Moment and payload of a timer that waits.
    fn timer(&self, name: &[u8]) -> Result<Option<(u64, Vec<u8>)>, Error> {
        let Some(value) = self.get_raw(&name_key(Kind::Timer, name))? else { return Ok(None) };
        let Some((due_ms, _)) = split_moment(&value) else { return Ok(None) };
        let value = self.get_raw(&due_key(due_ms, Kind::Timer, name))?.unwrap_or_default();
        Ok(Some((due_ms, payload(&value).to_vec())))
    }

    fn number(&self, key: &[u8]) -> Result<u64, Error> {
        Ok(self.get_raw(key)?.as_deref().and_then(split_moment).map_or(0, |(number, _)| number))
    }

    fn put_number(&mut self, key: &[u8], number: u64) {
        self.put_raw(key.to_vec(), Some(number.to_be_bytes().to_vec()));
    }
}

fn planned(name: &[u8], value: &[u8]) -> Option<Planned> {
    let (due_ms, schedule) = split_moment(value)?;
    Some(Planned { name: name.to_vec(), schedule: schedule.to_vec(), due_ms })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::capabilities::timers::{due, next_due, next_number};
    use crate::permissions::{LimitName, LimitOrigin};
    use crate::streams::{NoState, Overlay};

    /// A state whose changes become visible when they are committed.
    struct Kept {
        committed: Arc<Overlay>,
        view: StateView,
    }

    impl Kept {
        fn new(size_max: u64) -> Self {
            let committed = Arc::new(Overlay::new(Arc::new(NoState)));
            let view = StateView::new(committed.clone(), 0, size_max, "so many bytes".into());
            Self { committed, view }
        }

        fn set(&mut self, name: &str, due_ms: u64, payload: &[u8]) -> Result<(), Error> {
            let most = Limit { name: LimitName::TimersWaiting, value: 3, origin: LimitOrigin::Default };
            self.view.set_timer(name, due_ms, payload, &most)
        }

        fn commit(&mut self) {
            self.committed.add(&self.view.take_changes());
        }

        fn due(&self, now_ms: u64) -> Vec<(u64, String, Vec<u8>)> {
            let found = due(&*self.committed, 0, now_ms, 100, 1000).unwrap();
            found.into_iter().map(|due| (due.due_ms, String::from_utf8(due.name).unwrap(), due.payload)).collect()
        }
    }

    #[test]
    fn a_timer_set_again_is_due_once_at_its_new_moment() {
        let mut kept = Kept::new(1000);
        kept.set("a", 50, b"first").unwrap();
        kept.commit();
        kept.set("a", 70, b"second").unwrap();
        kept.set("b", 60, b"").unwrap();
        kept.commit();
        assert_eq!(next_due(&*kept.committed, 0).unwrap(), Some(60));
        assert_eq!(kept.due(69), [(60, "b".into(), vec![])]);
        assert_eq!(kept.due(70), [(60, "b".into(), vec![]), (70, "a".into(), b"second".to_vec())]);
        let names: Vec<_> = kept.view.timers(None, 10).unwrap().into_iter().map(|t| (t.name, t.due_ms)).collect();
        assert_eq!(names, [("a".into(), 70), ("b".into(), 60)]);
        assert_eq!(kept.view.timers(Some("a"), 10).unwrap().len(), 1);
    }

    #[test]
    fn what_has_fired_is_gone_and_firings_are_numbered() {
        let mut kept = Kept::new(1000);
        kept.set("a", 5, b"x").unwrap();
        kept.commit();
        kept.view.fired(Kind::Timer, b"a", 41, None).unwrap();
        kept.commit();
        assert_eq!((kept.due(u64::MAX), next_number(&*kept.committed, 0).unwrap()), (vec![], 42));
        assert!(!kept.view.remove_timer(b"a").unwrap());
    }

    #[test]
    fn the_number_and_the_bytes_of_what_waits_are_bounded() {
        let mut kept = Kept::new(100);
        for name in ["a", "b", "c"] {
            kept.set(name, 5, b"x").unwrap();
        }
        assert!(matches!(kept.set("d", 5, b""), Err(Error::Limit(p)) if p.code == "timer.full"));
        kept.set("c", 9, b"another payload").unwrap();
        assert!(kept.view.remove_timer(b"a").unwrap());
        assert!(matches!(kept.set("d", 5, &[0; 90]), Err(Error::Limit(p)) if p.code == "state.full"));
        kept.set("d", 5, &[0; 70]).unwrap();
        for name in [b"b", b"c", b"d"] {
            assert!(kept.view.remove_timer(name).unwrap());
        }
        kept.set("e", 5, &[0; 99]).unwrap();
    }

    #[test]
    fn a_schedule_waits_for_one_moment_at_a_time() {
        let mut kept = Kept::new(0);
        let at = |due_ms| Some(Planned { name: b"daily".to_vec(), schedule: b"0 3 * * *".to_vec(), due_ms });
        kept.view.plan(b"daily", at(5)).unwrap();
        kept.commit();
        kept.view.fired(Kind::Cron, b"daily", 0, at(8)).unwrap();
        kept.commit();
        assert_eq!(kept.view.planned().unwrap(), at(8).into_iter().collect::<Vec<_>>());
        assert_eq!(kept.due(100), [(8, "daily".into(), vec![])]);
        kept.view.plan(b"daily", None).unwrap();
        kept.commit();
        assert_eq!((kept.due(100), kept.view.planned().unwrap()), (vec![], vec![]));
    }
}
