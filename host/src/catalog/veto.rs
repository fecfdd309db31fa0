//! The policy that may deny what the matrix allows: a text of the home, asked through the engine of its language, behind
//! the same walls as every other text. It sees a question, and neither files, network, clock nor chance.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use wasmill_registry::{Digest, Limits, Permissions};
use wasmtime::Store;

use super::call::end_of_call;
use super::engine::{Engines, ScriptEngine};
use super::instance::new_store;
use super::load::{Catalog, Settings, identity};
use crate::capabilities::{CallContext, Guest, Identity, Services, problem};
use crate::home::read_bounded;
use crate::permissions::{Broken, Judge, Matrix, Principal, Veto};
use crate::runtime::bindings::ToolComponentPre;
use crate::runtime::bindings::errors::Error;
use crate::runtime::{Engine, LimitKind, RuntimeError};
use crate::store::AuditEntry;

/// Language of policies.
const LANGUAGE: &str = "rego";
/// The function of a policy.
const DENY: &str = "deny";
/// Whom its log lines are of.
const NAME: &str = "veto";
/// Largest file, bytes.
const FILE_BYTES_MAX: usize = 64 * 1024;
/// Memory of one answer, MiB.
const MEMORY_MIB: u32 = 64;
/// Time that one answer computes, milliseconds.
const COMPUTE_MS: u64 = 100;
/// Time of one answer, milliseconds.
const DEADLINE_MS: u64 = 250;
/// Largest answer, KiB.
const OUTPUT_KIB: u32 = 64;
/// How long somebody waits for an answer, behind others.
const PATIENCE: Duration = Duration::from_secs(1);
/// Most questions that wait.
const WAITING_MAX: usize = 256;

/// What decided about the veto the last time.
#[derive(Default)]
pub(super) struct KnownVeto {
    /// Text and engine; none where it could not be asked, so that it is tried again.
    asked: Option<(String, Digest)>,
    /// What was said of it in the log.
    said: Option<Broken>,
}

impl Catalog {
    /// Puts the policy of the home over the matrix, where its settings name one.
    pub(super) async fn place_veto(&self, known: &mut KnownVeto, engines: &Engines) {
        let Some(file) = &self.config().veto else { return };
        let (text, engine) = match read(file).and_then(|text| Ok((text, engine(engines)?))) {
            Ok(both) => both,
            Err(broken) => return self.break_veto(known, broken),
        };
        let asked = Some((text, engine.digest));
        if known.asked == asked {
            return;
        }
        let text = asked.as_ref().map(|(text, _)| text.as_str()).unwrap_or_default();
        match self.judge(text, engine).await {
            Ok(judge) => {
                let veto = Veto::asked(&format!("{} {text}", engine.digest), Arc::new(judge));
                tracing::info!(revision = %veto.revision(), file = %file.display(), "the veto policy is in force");
                self.note_veto("allowed", format!("revision {}", veto.revision()));
                self.matrix().set_veto(Some(Arc::new(veto)));
                *known = KnownVeto { asked, said: None };
            }
            Err(broken) => self.break_veto(known, broken),
        }
    }

    /// Nothing is allowed until the policy can be asked.
    fn break_veto(&self, known: &mut KnownVeto, broken: Broken) {
        if known.said.as_ref() != Some(&broken) {
            let Broken { code, reason } = &broken;
            tracing::error!(code, "nothing is allowed, since the veto policy can't be asked: {reason}");
            self.note_veto("denied", format!("{code}: {reason}"));
            self.matrix().set_veto(Some(Arc::new(Veto::broken(broken.clone()))));
        }
        *known = KnownVeto { asked: None, said: Some(broken) };
    }

    fn note_veto(&self, decision: &'static str, detail: String) {
        self.services().audit.record(AuditEntry::now("host", "put the veto policy in force", decision, detail));
    }

    async fn judge(&self, text: &str, engine: &ScriptEngine) -> Result<ScriptJudge, Broken> {
        let limits = Limits {
            memory_mib: Some(MEMORY_MIB),
            compute_ms: Some(COMPUTE_MS),
            deadline_ms: Some(DEADLINE_MS),
            output_kib: Some(OUTPUT_KIB),
            ..Limits::default()
        };
        // Of no row and below no veto: it is the veto.
        let grant = Matrix::empty().grant(&Principal::tool(NAME), Some(&Permissions::default()), Some(&limits), None);
        let digest = Digest::of(text.as_bytes()).to_string();
        let identity = identity(NAME, digest, grant, Settings::new(), Some(text.into()));
        self.check_source(engine, &identity).await.map_err(|error| broken("veto.policy", error))?;
        let court = Court {
            engine: self.engine().clone(),
            services: self.services().clone(),
            pre: engine.tool.clone(),
            identity,
        };
        ScriptJudge::start(court).map_err(|error| broken("veto.thread", error))
    }
}

/// A veto that nobody has looked at yet.
pub(super) fn unread() -> Veto {
    Veto::broken(Broken { code: "veto.unread", reason: "it is not read yet".into() })
}

fn broken(code: &'static str, reason: impl ToString) -> Broken {
    Broken { code, reason: reason.to_string() }
}

fn read(file: &Path) -> Result<String, Broken> {
    let bytes = read_bounded(file, FILE_BYTES_MAX).map_err(|error| broken("veto.unreadable", error))?;
    String::from_utf8(bytes).map_err(|_| broken("veto.unreadable", format!("`{}` is not text", file.display())))
}

fn engine(engines: &Engines) -> Result<&Arc<ScriptEngine>, Broken> {
    let of_language = engines.values().filter(|engine| engine.language == LANGUAGE);
    of_language.max_by(|a, b| a.version.cmp(&b.version)).ok_or_else(|| {
        broken(
            "veto.engine",
            format!("no engine for `{LANGUAGE}` is installed and loaded; see `wasmill plugin install`"),
        )
    })
}

/// Asks a policy, in the order in which questions come, on a thread of its own: whoever asks may be a guest's own fiber, or
/// the runtime that all others run on.
struct ScriptJudge {
    questions: SyncSender<Question>,
}

struct Question {
    text: String,
    asked: Instant,
    answer: SyncSender<Result<Vec<String>, String>>,
}

impl ScriptJudge {
    fn start(court: Court) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let (questions, asked) = sync_channel(WAITING_MAX);
        // Ends when the last matrix with this policy is gone.
        std::thread::Builder::new().name(NAME.into()).spawn(move || runtime.block_on(court.sit(asked)))?;
        Ok(Self { questions })
    }
}

impl Judge for ScriptJudge {
    fn judge(&self, question: &str) -> Result<Vec<String>, String> {
        let (answer, answered) = sync_channel(1);
        let question = Question { text: question.to_owned(), asked: Instant::now(), answer };
        self.questions.try_send(question).map_err(|error| match error {
            TrySendError::Full(_) => format!("{WAITING_MAX} other questions wait for it"),
            TrySendError::Disconnected(_) => "its thread has ended".to_owned(),
        })?;
        answered.recv_timeout(PATIENCE).unwrap_or_else(|error| match error {
            RecvTimeoutError::Timeout => Err(format!("it did not answer within {} s", PATIENCE.as_secs())),
            RecvTimeoutError::Disconnected => Err("its thread has ended".to_owned()),
        })
    }
}

/// What answers questions.
struct Court {
    engine: Engine,
    services: Arc<Services>,
    pre: ToolComponentPre<Guest>,
    identity: Arc<Identity>,
}

impl Court {
    async fn sit(self, questions: Receiver<Question>) {
        while let Ok(question) = questions.recv() {
            // Who asked has gone.
            if question.asked.elapsed() >= PATIENCE {
                continue;
            }
            let answer = self.answer(&question.text).await;
            // Nobody may be waiting any more.
            let _ = question.answer.try_send(answer);
        }
    }

    /// Each question meets a fresh instance.
    async fn answer(&self, question: &str) -> Result<Vec<String>, String> {
        let context = CallContext::closed(Instant::now() + Duration::from_millis(DEADLINE_MS), "".into());
        let around = context.clone();
        let deadline = context.deadline;
        let mut store =
            new_store(&self.engine, Guest::new(self.identity.clone(), self.services.clone(), context, None));
        let ended = match tokio::time::timeout_at(deadline.into(), self.call(&mut store, question)).await {
            Ok(Ok(Ok(answer))) => return serde_json::from_str(&answer).map_err(|error| error.to_string()),
            Ok(Ok(Err(own))) => return Err(problem(&own).message),
            Ok(Err(error)) => RuntimeError::from_call(&error, store.data_mut().limiter().refused()),
            Err(_) => RuntimeError::Limit(LimitKind::Deadline),
        };
        Err(problem(&end_of_call(&self.identity, &around, &ended)).message)
    }

    async fn call(&self, store: &mut Store<Guest>, question: &str) -> wasmtime::Result<Result<String, Error>> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        instance.wasmill_plugin_tool().call_call(store, DENY, question).await
    }
}
