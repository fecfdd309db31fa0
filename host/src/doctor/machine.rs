//! What the operating system gives: room on the disk, memory mappings.

use std::path::Path;

use super::{Finding, Level};

/// With less than this on the disk, in MiB, the end is near.
const DISK_MIB_WARN: u64 = 1024;
/// With less than this nothing can be written that matters.
const DISK_MIB_FAIL: u64 = 64;
/// Most memory mappings that one instance of a component takes.
const MAPPINGS_PER_INSTANCE: u64 = 6;
/// Where Linux says how many mappings a process may have.
const MAPPINGS_FILE: &str = "/proc/sys/vm/max_map_count";

/// Room where the home is, or would be.
pub(super) fn disk(root: &Path) -> Finding {
    let absolute = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    let there = absolute.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    let next = "Free some space, or use a --home on another disk.";
    match nix::sys::statvfs::statvfs(there) {
        Ok(stat) => {
            let mib = stat.blocks_available().saturating_mul(stat.fragment_size()) / (1024 * 1024);
            let says = format!("{mib} MiB free at `{}`", there.display());
            match mib {
                DISK_MIB_WARN.. => Finding::ok("disk", says),
                DISK_MIB_FAIL.. => Finding::advise("disk", Level::Warn, says, next),
                _ => Finding::advise("disk", Level::Fail, says, next),
            }
        }
        Err(error) => Finding::advise("disk", Level::Warn, format!("can't ask `{}`: {error}", there.display()), next),
    }
}

/// Mappings for so many instances.
pub(super) fn mappings(instances: u32) -> Finding {
    let needed = u64::from(instances) * MAPPINGS_PER_INSTANCE;
    let allowed = std::fs::read_to_string(MAPPINGS_FILE).ok().and_then(|text| text.trim().parse::<u64>().ok());
    match allowed {
        Some(allowed) if allowed < needed => Finding::advise(
            "vm.max_map_count",
            Level::Warn,
            format!("{allowed}; {instances} instances may need {needed}"),
            format!("Run `sysctl vm.max_map_count={needed}` as root, or lower `limits.instances` in host.toml."),
        ),
        Some(allowed) => Finding::ok("vm.max_map_count", format!("{allowed}, enough for {instances} instances")),
        None => Finding::ok("vm.max_map_count", "this system does not say"),
    }
}
