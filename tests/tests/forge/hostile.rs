//! Sources that must not become tools: `tests/forge/hostile/`, each with what must happen to it in its first lines.
//!
//! `stage` and `code` say where and how the forge refuses it, `says` what its message contains. `alone` says what
//! becomes of it where nothing stands in its way but the sandbox: a code, then a part of what is said.

use std::path::{Path, PathBuf};

use wasmill::forge::{Compiled, Diagnostic, Outcome, Refusal};

use crate::harness::{EarlyForge, MATRIX, request, workshop};

/// One source, and what its first lines say of it.
pub struct Hostile {
    pub name: String,
    pub source: String,
}

impl Hostile {
    fn all() -> Vec<Self> {
        Self::in_folder("hostile").into_iter().chain(Self::generated()).collect()
    }

    /// Those that lie in a folder of `tests/forge/`.
    pub fn in_folder(folder: &str) -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("forge").join(folder);
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let read = |path: PathBuf| Self {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            source: std::fs::read_to_string(path).unwrap(),
        };
        files.into_iter().map(read).collect()
    }

    /// Those that are too long to be written by hand.
    fn generated() -> Vec<Self> {
        let repeat = |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<String>();
        let made = |name: &str, header: &str, code: String| Self {
            name: name.into(),
            source: format!("{}\n{code}\n", header.lines().map(|l| format!("// {}\n", l.trim())).collect::<String>()),
        };
        vec![
            made(
                "long-warnings",
                "stage: build\ncode: forge.limit.output",
                format!("pub fn f() {{ {} }}", repeat(18_000, &|n| format!("let a{n}=0;"))),
            ),
            made(
                "deep-nesting",
                "stage: refuse\ncode: forge.source\nsays: nested\nalone: forge.compiler",
                format!("pub fn f() {{ {}{} }}", "(".repeat(30_000), ")".repeat(30_000)),
            ),
            made(
                "long-chain",
                "stage: build\ncode: forge.compiler forge.compile forge.limit.memory",
                format!("pub const F: bool = {}true;", "!".repeat(200_000)),
            ),
            made("too-long", "stage: refuse\ncode: forge.too-large", "//".repeat(150_000)),
        ]
    }

    /// A line of the header.
    pub fn header(&self, key: &str) -> Option<&str> {
        let key = format!("// {key}: ");
        self.source.lines().find_map(|line| line.strip_prefix(key.as_str()))
    }

    /// Complains where a refusal isn't what the header says.
    pub fn complaint(&self, refusal: &Refusal) -> String {
        let mut wrong = String::new();
        if self.header("stage") != Some(&refusal.stage.to_string()) {
            wrong += &format!("{}: refused at stage {}: {}\n", self.name, refusal.stage, refusal.reason);
        }
        let (codes, says) = (self.header("code").unwrap(), self.header("says").unwrap_or_default());
        let complaint = self.complain(codes, says, &refusal.reason.code, &refusal.reason.message, &refusal.diagnostics);
        wrong + &complaint.unwrap_or_default()
    }

    /// Complains where what happened isn't what the header says.
    fn complain(
        &self,
        expected_codes: &str,
        says: &str,
        code: &str,
        message: &str,
        diagnostics: &[Diagnostic],
    ) -> Option<String> {
        let said = diagnostics.iter().map(|d| d.message.as_str()).chain([message]).collect::<Vec<_>>().join("\n");
        let right = expected_codes.split(' ').any(|expected| expected == code) && said.contains(says);
        (!right).then(|| format!("{}: {code}: {said}\n", self.name))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_source_is_refused_where_and_as_its_header_says() {
    let forge = EarlyForge::new(MATRIX).await;
    let mut wrong = String::new();
    for hostile in Hostile::all() {
        let outcome = forge.build(&request(&hostile.name, &hostile.source)).await;
        let Outcome::Refused(refusal) = outcome else {
            panic!("{} became a tool", hostile.name);
        };
        wrong += &hostile.complaint(&refusal);
        assert!(!refusal.reason.next.is_empty(), "{}: what to do next?", hostile.name);
    }
    assert_eq!(wrong, "");
    let events = forge.events.lock().unwrap();
    assert!(events.iter().all(|event| event.maker == "client:smith"));
    assert_eq!(events.iter().filter(|event| event.refused.is_some()).count(), Hostile::all().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_holds_without_the_early_checks() {
    let workshop = workshop().await;
    let mut wrong = String::new();
    for hostile in Hostile::all() {
        let Some(alone) = hostile.header("alone") else { continue };
        let (code, says) = alone.split_once(' ').unwrap_or((alone, ""));
        match workshop.compile(&hostile.source, &[]).await.unwrap() {
            Compiled::Component { .. } => wrong += &format!("{}: it was built\n", hostile.name),
            Compiled::Failed { failure, diagnostics } => {
                wrong.extend(hostile.complain(code, says, failure.code(), &failure.to_string(), &diagnostics));
            }
        }
    }
    assert_eq!(wrong, "");
}
