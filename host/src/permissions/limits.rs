//! What a principal may use: every limit as a number, with who set it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wasmill_registry::Limits;

use super::limit_name::LimitName;
use super::principal::Principal;

/// Who set a limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LimitOrigin {
    /// Nobody: the default of every host.
    Default,
    /// `[limits.component]` in the settings of this host.
    Host,
    /// A row of the matrix.
    Row {
        /// Principal pattern of the row.
        principal: String,
        /// Line of the row in the file.
        line: u32,
    },
    /// The component's manifest, which asks for less than it could have.
    Manifest,
    /// The maker's own limit.
    Maker {
        /// Who asked the forge for this component.
        maker: Principal,
    },
}

/// One limit with its value and origin. Displays as `memory_mib = 64 (row "agent:logsmith", permissions.toml line 12)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Which.
    pub name: LimitName,
    /// Value, in the unit of the name.
    pub value: u64,
    /// Who set it.
    pub origin: LimitOrigin,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} (", self.name, self.name.shown(self.value))?;
        match &self.origin {
            LimitOrigin::Host => {
                f.write_str("[limits.component] of host.toml; a row of permissions.toml may set another")?
            }
            LimitOrigin::Default => f.write_str("the default; a row of permissions.toml may set another")?,
            LimitOrigin::Row { principal, line } => write!(f, "row for {principal:?}, permissions.toml line {line}")?,
            LimitOrigin::Manifest => f.write_str("from the component's manifest")?,
            LimitOrigin::Maker { maker } => write!(f, "the limit of its maker {maker}")?,
        }
        f.write_str(")")
    }
}

/// All limits of one principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantLimits([Limit; LimitName::ALL.len()]);

impl GrantLimits {
    /// Resolves all limits. The host's settings replace the defaults, a row replaces both and may be above them; among
    /// several rows the smallest wins.
    /// The manifest and the maker can only make a limit smaller.
    pub(super) fn resolve<'a>(
        host: &Limits,
        rows: impl Iterator<Item = (&'a str, u32, &'a Limits)> + Clone,
        wanted: Option<&Limits>,
        maker: Option<(&Principal, &GrantLimits)>,
    ) -> Self {
        Self(LimitName::ALL.map(|name| {
            let row = rows.clone().filter_map(|(p, line, l)| Some((name.of(l)?, p, line))).min_by_key(|found| found.0);
            let mut limit = match row {
                Some((value, principal, line)) => {
                    Limit { name, value, origin: LimitOrigin::Row { principal: principal.to_string(), line } }
                }
                None => match name.of(host) {
                    Some(value) => Limit { name, value, origin: LimitOrigin::Host },
                    None => Limit { name, value: name.default_value(), origin: LimitOrigin::Default },
                },
            };
            if let Some(value) = wanted.and_then(|wanted| name.of(wanted)).filter(|value| *value < limit.value) {
                limit = Limit { name, value, origin: LimitOrigin::Manifest };
            }
            if let Some((maker, limits)) = maker
                && limits.get(name).value < limit.value
            {
                limit =
                    Limit { name, value: limits.get(name).value, origin: LimitOrigin::Maker { maker: maker.clone() } };
            }
            limit
        }))
    }

    /// One limit.
    pub fn get(&self, name: LimitName) -> &Limit {
        &self.0[name as usize]
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Limit> {
        self.0.iter()
    }

    /// Linear memory of one instance, bytes.
    pub fn memory_bytes(&self) -> usize {
        self.scaled(LimitName::MemoryMib, 1024 * 1024)
    }

    /// Time that one call computes in the guest.
    pub fn compute(&self) -> Duration {
        Duration::from_millis(self.get(LimitName::ComputeMs).value)
    }

    /// Time that one call takes, waiting included.
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.get(LimitName::DeadlineMs).value)
    }

    /// Entries of all tables of one instance.
    pub fn table_entries(&self) -> usize {
        self.scaled(LimitName::TableEntries, 1)
    }

    /// Result of one call, or everything that one batch sends, bytes.
    pub fn output_bytes(&self) -> usize {
        self.scaled(LimitName::OutputKib, 1024)
    }

    /// Depth of tools that call tools.
    pub fn call_depth(&self) -> u32 {
        u32::try_from(self.get(LimitName::CallDepth).value).unwrap_or(u32::MAX)
    }

    /// Durable state of one partition, bytes.
    pub fn state_bytes(&self) -> usize {
        self.scaled(LimitName::StateMib, 1024 * 1024)
    }

    /// Timers of one partition that wait.
    pub fn timers_waiting(&self) -> u64 {
        self.get(LimitName::TimersWaiting).value
    }

    /// Builds asked of the forge in an hour.
    pub fn builds_per_hour(&self) -> u32 {
        u32::try_from(self.get(LimitName::BuildsPerHour).value).unwrap_or(u32::MAX)
    }

    fn scaled(&self, name: LimitName, unit: usize) -> usize {
        usize::try_from(self.get(name).value).unwrap_or(usize::MAX).saturating_mul(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(mib: u32) -> Limits {
        Limits { memory_mib: Some(mib), ..Limits::default() }
    }

    #[test]
    fn a_row_may_raise_the_default_but_a_manifest_may_not() {
        let row = memory(512);
        let rows = [("agent:a", 4, &row)];
        let raised = GrantLimits::resolve(&Limits::default(), rows.into_iter(), Some(&memory(900)), None);
        assert_eq!(
            raised.get(LimitName::MemoryMib).to_string(),
            "memory_mib = 512 (row for \"agent:a\", permissions.toml line 4)"
        );
        assert_eq!(raised.memory_bytes(), 512 * 1024 * 1024);

        let alone = GrantLimits::resolve(&Limits::default(), [].into_iter(), Some(&memory(900)), None);
        assert_eq!(alone.get(LimitName::MemoryMib).origin, LimitOrigin::Default);
        let modest = GrantLimits::resolve(&Limits::default(), [].into_iter(), Some(&memory(3)), None);
        assert_eq!(modest.get(LimitName::MemoryMib).origin, LimitOrigin::Manifest);
    }

    #[test]
    fn the_smallest_of_several_rows_wins() {
        let (large, small) = (memory(512), memory(32));
        let limits = GrantLimits::resolve(
            &Limits::default(),
            [("agent:a", 4, &large), ("*", 9, &small)].into_iter(),
            None,
            None,
        );
        assert_eq!(limits.get(LimitName::MemoryMib).value, 32);
    }

    #[test]
    fn a_forged_component_has_no_more_than_its_maker() {
        let maker = GrantLimits::resolve(&Limits::default(), [].into_iter(), Some(&memory(16)), None);
        let name = Principal::agent("a");
        let forged = GrantLimits::resolve(&Limits::default(), [].into_iter(), Some(&memory(64)), Some((&name, &maker)));
        assert_eq!(forged.get(LimitName::MemoryMib).to_string(), "memory_mib = 16 (the limit of its maker agent:a)");
    }

    #[test]
    fn the_hosts_settings_replace_the_default_and_a_row_replaces_both() {
        let (host, row) = (memory(32), memory(64));
        let alone = GrantLimits::resolve(&host, [].into_iter(), None, None);
        assert_eq!(
            (alone.get(LimitName::MemoryMib).value, &alone.get(LimitName::MemoryMib).origin),
            (32, &LimitOrigin::Host)
        );
        let with_row = GrantLimits::resolve(&host, [("agent:a", 4, &row)].into_iter(), None, None);
        assert_eq!(with_row.get(LimitName::MemoryMib).value, 64);
    }
}
