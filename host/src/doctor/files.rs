//! The files of a home: can they be read, do they say something, are the secret ones secret.

use time::OffsetDateTime;
use wasmill_registry::{Registry, Role, SecretKey, TrustRoots};

use super::{Finding, Level};
use crate::home::Home;
use crate::permissions::SharedMatrix;

pub(super) fn examine(home: &Home) -> Vec<Finding> {
    let config = home.config();
    let limits = config.as_ref().map(|config| config.limits.component.clone()).unwrap_or_default();
    let mut all = vec![match config {
        Ok(_) => Finding::ok("host.toml", "can be used"),
        Err(error) => Finding::fail("host.toml", error),
    }];
    all.push(match SharedMatrix::open(&home.permissions_file(), limits) {
        Ok(matrix) => {
            let status = matrix.status();
            Finding::ok("permissions.toml", format!("{} rows, policy {}", status.rows, status.revision))
        }
        Err(error) => Finding::fail("permissions.toml", error),
    });
    all.push(match home.secrets() {
        Ok(secrets) => Finding::ok("secrets.toml", format!("{} secrets", secrets.len())),
        Err(error) => Finding::fail("secrets.toml", error),
    });
    all.extend(keys(home));
    let trust = home.trust();
    match &trust {
        Ok(trust) => all.push(roots(trust)),
        Err(error) => all.push(Finding::advise(
            "trust.toml",
            Level::Fail,
            error.to_string(),
            "Correct the line; `wasmill key new` adds entries of the right form.",
        )),
    }
    all.push(match home.registry() {
        Ok(registry) => components(&registry, trust.ok().as_ref()),
        Err(error) => Finding::fail("registry", error),
    });
    all
}

fn keys(home: &Home) -> Vec<Finding> {
    let folder = home.keys();
    let files = match std::fs::read_dir(&folder) {
        Ok(files) => files.flatten().map(|file| file.path()),
        Err(error) => return vec![Finding::fail("keys", crate::problem::Problem::io(&folder, &error))],
    };
    let (mut readable, mut all) = (0, Vec::new());
    for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "key")) {
        match SecretKey::read(&file) {
            Ok(_) => readable += 1,
            Err(error) => all.push(Finding::fail("keys", error)),
        }
    }
    if all.is_empty() {
        all.push(Finding::ok("keys", format!("{readable} secret keys, for their owner only")));
    }
    all
}

fn roots(trust: &TrustRoots) -> Finding {
    let now = OffsetDateTime::now_utc();
    let valid = |role: Role| {
        let mut keys = trust.keys().iter();
        keys.any(|key| key.roles.contains(&role) && !key.revoked && key.expires.is_none_or(|at| at > now))
    };
    let roles = [(Role::Publisher, "publisher"), (Role::Admin, "admin"), (Role::Forge, "forge")];
    let none: Vec<&str> = roles.into_iter().filter(|(role, _)| !valid(*role)).map(|(_, name)| name).collect();
    match none.first() {
        None => Finding::ok("trust.toml", format!("{} keys, for each role a valid one", trust.keys().len())),
        Some(role) => Finding::advise(
            "trust.toml",
            Level::Warn,
            format!("no valid key for the role {}: nothing signed in it counts", none.join(", ")),
            format!("Make one with `wasmill key new NAME --role {role}`."),
        ),
    }
}

fn components(registry: &Registry, trust: Option<&TrustRoots>) -> Finding {
    let entries = match registry.list() {
        Ok(entries) => entries,
        Err(error) => return Finding::fail("registry", error),
    };
    let now = OffsetDateTime::now_utc();
    let refused = trust.into_iter().flat_map(|trust| entries.iter().map(|entry| registry.load(entry, trust, now)));
    let mut refused = refused.filter_map(Result::err);
    match refused.next() {
        None => Finding::ok("registry", format!("{} components", entries.len())),
        Some(first) => {
            let more = refused.count();
            let says = format!("{} of {} components can't be used; the first: {first}", more + 1, entries.len());
            Finding::advise("registry", Level::Warn, says, "See `wasmill plugin list`.")
        }
    }
}
