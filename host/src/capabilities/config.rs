//! `config`: the settings that the admin gave a component.

use super::guest::Guest;
use crate::runtime::bindings::config::Host;

impl Host for Guest {
    fn get(&mut self, key: String) -> Option<String> {
        self.identity().settings.get(&key).cloned()
    }

    fn get_all(&mut self) -> Vec<(String, String)> {
        self.identity().settings.iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    }
}
