//! `timers`: what an agent wants to be reminded of, kept in the state of the partition that it works on.
//!
//! Nothing here waits for anything: a worker asks what is due ([`due`]), and marks it as fired ([`StateView::fired`]) in
//! the transaction that the agent's work on it belongs to.

mod layout;
mod ledger;
mod look;

pub use layout::{Kind, is_due_key};
pub use ledger::Planned;
pub use look::{Due, due, next_due, next_number};
use wasmill_registry::{TIMER_PAYLOAD_SIZE_MAX, check_timer_name};

use super::errors;
use super::guest::Guest;
use super::state::StateView;
use crate::permissions::{Action, LimitName};
use crate::runtime::bindings::errors::Error;
use crate::runtime::bindings::timers::{Due as WantedDue, Host, Timer};

/// How far ahead a timer may be set, milliseconds: ten years.
const AHEAD_MAX_MS: u64 = 3_653 * 24 * 60 * 60 * 1000;
/// Most timers of one answer.
const TIMERS_MAX: usize = 1000;

impl Guest {
    fn timers(&mut self) -> Result<&mut StateView, Error> {
        self.check(Action::Timers)?;
        self.agent_side().map(|side| &mut side.state).ok_or_else(|| {
            errors::invalid("timer.none", "only agents set timers", "set it in the agent that calls this tool")
        })
    }
}

impl Host for Guest {
    fn set(&mut self, name: String, due: WantedDue, payload: Vec<u8>) -> Result<(), Error> {
        let now = self.wall_ms();
        let limit = self.identity().grant.limits().get(LimitName::TimersWaiting).clone();
        let timers = self.timers()?;
        check_timer_name(&name).map_err(|reason| errors::invalid("timer.name", reason, ""))?;
        if payload.len() > TIMER_PAYLOAD_SIZE_MAX {
            return Err(errors::invalid(
                "timer.payload",
                format!("a payload has at most {TIMER_PAYLOAD_SIZE_MAX} bytes, this one has {}", payload.len()),
                "keep the data in `state` and put its key into the payload",
            ));
        }
        let due_ms = match due {
            WantedDue::AfterMs(ms) => now.saturating_add(ms),
            WantedDue::AtMs(ms) => ms,
        };
        if due_ms > now.saturating_add(AHEAD_MAX_MS) {
            return Err(errors::invalid(
                "timer.due",
                "a timer is due within ten years",
                "milliseconds are meant; set an earlier one and set it again when it fires",
            ));
        }
        timers.set_timer(&name, due_ms, &payload, &limit)
    }

    fn cancel(&mut self, name: String) -> Result<bool, Error> {
        self.timers()?.remove_timer(name.as_bytes())
    }

    fn waiting(&mut self, after: Option<String>, limit: u32) -> Result<Vec<Timer>, Error> {
        self.timers()?.timers(after.as_deref(), (limit as usize).min(TIMERS_MAX))
    }
}
