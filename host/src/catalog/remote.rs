//! Tools that programs outside of this host answer, as tools under the matrix like all others.

use std::sync::Arc;

use async_trait::async_trait;
use semver::Version;
use wasmill_registry::{Kind, Limits, Manifest, Permissions};

use super::component::{Body, Tool, ToolFunction};
use super::load::{Settings, component_of, identity, is_same};
use super::snapshot::{Refused, Snapshot};
use crate::permissions::{Matrix, Principal};
use crate::runtime::bindings::errors::Error;

/// How a call ended: the outer error is the host's word, the inner one the program's own.
pub type Answered = Result<Result<String, Error>, Error>;

/// Answers the calls of one tool.
#[async_trait]
pub trait RemoteTool: Send + Sync {
    /// Calls a function whose arguments were checked. Dropping the future gives the call up.
    async fn call(&self, function: &str, arguments: &str) -> Answered;
}

/// All tools that programs outside of this host answer.
pub trait RemoteTools: Send + Sync {
    /// What each of them offers now. Doesn't wait for anybody.
    fn offers(&self) -> Vec<Offer>;
}

/// One of them.
pub struct Offer {
    /// Name of the tool.
    pub name: String,
    /// What it offers, or why it offers nothing: a stable code and a reason.
    pub offered: Result<Arc<Offered>, (&'static str, String)>,
    /// Who answers.
    pub answers: Arc<dyn RemoteTool>,
}

/// What a program offers.
pub struct Offered {
    /// Version that the program gives itself.
    pub version: Version,
    /// One sentence of the host's on what it is.
    pub description: String,
    /// Its functions, checked.
    pub functions: Arc<[ToolFunction]>,
    /// SHA-256 over what it says of them, hexadecimal.
    pub digest: String,
}

/// Places each by its grant, which holds nothing but limits: it is called and calls nobody.
pub(super) fn place_remote(offers: Vec<Offer>, matrix: &Matrix, before: &Snapshot, next: &mut Snapshot) {
    for Offer { name, offered, answers } in offers {
        let offered = match offered {
            Ok(offered) => offered,
            Err((code, reason)) => {
                next.refused.push(Refused { component: name, code, reason });
                continue;
            }
        };
        let grant = matrix.grant(&Principal::tool(&name), Some(&Permissions::default()), None, None);
        let version = offered.version.clone();
        let old = before.tools.get(&name).and_then(|versions| versions.get(&version));
        let same = |tool: &&Arc<Tool>| tool.identity.digest == offered.digest && is_same(&tool.identity.grant, &grant);
        let tool = old.filter(same).cloned().unwrap_or_else(|| {
            let manifest = manifest(&name, &offered);
            let component = component_of(&manifest);
            Arc::new(Tool {
                identity: identity(&component, offered.digest.clone(), grant, Settings::new(), None),
                manifest: Arc::new(manifest),
                maker: None,
                functions: offered.functions.clone(),
                body: Body::Remote(answers),
                health: Arc::default(),
            })
        });
        next.tools.entry(name).or_default().insert(version, tool);
    }
}

fn manifest(name: &str, offered: &Offered) -> Manifest {
    Manifest {
        name: name.to_owned(),
        version: offered.version.clone(),
        kind: Kind::Tool,
        description: offered.description.clone(),
        agent: None,
        engine: None,
        script: None,
        permissions: Permissions::default(),
        limits: Limits::default(),
    }
}
