//! The policy that may deny what the matrix allows: is it there, and can the running host ask it.

use super::{Finding, Level};
use crate::gateway::{Client, MatrixReply};
use crate::home::{Home, VetoConfig, read_bounded};

/// What it is called.
const CHECK: &str = "veto";
/// More than any policy has, bytes.
const READ_MAX: usize = 1024 * 1024;

pub(super) async fn examine(home: &Home, config: &VetoConfig, running: Option<&Client>) -> Option<Finding> {
    let file = home.veto_file(config)?;
    let Some(client) = running else {
        return Some(match read_bounded(&file, READ_MAX) {
            Ok(_) => Finding::ok(CHECK, format!("`{}`; a host that runs says whether it can ask it", file.display())),
            Err(error) => Finding::fail(CHECK, error),
        });
    };
    // That a host doesn't answer is said already.
    let reply: MatrixReply = client.get("/v1/permissions").await.ok()?;
    Some(match reply.veto {
        None => {
            let says = "the running host knows of none, host.toml names one";
            Finding::advise(CHECK, Level::Fail, says, "Stop the host and start it again with `wasmill up`.")
        }
        Some(veto) => match veto.broken {
            None => Finding::ok(CHECK, format!("is asked, revision {}", veto.revision)),
            Some(broken) => Finding::advise(
                CHECK,
                Level::Fail,
                format!("nothing is allowed, since it can't be asked: {broken}"),
                format!("Correct `{}`; the host takes it within a second.", file.display()),
            ),
        },
    })
}
