//! What admins warned of: can it be read, and what of it is installed.

use time::OffsetDateTime;

use super::{Finding, Level};
use crate::advisories::Advisories;
use crate::catalog::quarantined;
use crate::home::Home;

/// What it is called.
const CHECK: &str = "advisories";

pub(super) fn examine(home: &Home) -> Finding {
    let advisories = match Advisories::read(&home.advisories_file()) {
        Ok(advisories) => advisories,
        Err(error) => return Finding::fail(CHECK, error),
    };
    let count = advisories.in_force().count();
    // That trust roots or registry can't be read is said already.
    let (Ok(trust), Ok(registry)) = (home.trust(), home.registry()) else {
        return Finding::ok(CHECK, format!("{count} in force"));
    };
    let touched = match quarantined(&registry, &trust, &advisories, OffsetDateTime::now_utc()) {
        Ok(touched) => touched,
        Err(_) => return Finding::ok(CHECK, format!("{count} in force")),
    };
    match touched.first() {
        None => Finding::ok(CHECK, format!("{count} in force, which touch nothing that is installed")),
        Some(first) => {
            let says = format!(
                "{} components must not run; the first: {}, by {}: {}",
                touched.len(),
                first.component(),
                first.touched.id,
                first.touched.because
            );
            Finding::advise(
                CHECK,
                Level::Warn,
                says,
                "See `wasmill advisory list`; install versions that are not touched.",
            )
        }
    }
}
