//! `source`: the text of the tool that an engine's instance is.

use super::guest::Guest;
use crate::runtime::bindings::source::Host;

impl Host for Guest {
    fn text(&mut self) -> String {
        self.identity().source.as_deref().unwrap_or_default().to_owned()
    }
}
