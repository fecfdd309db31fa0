//! What a script throws, in the contract's words.

use rquickjs::{Ctx, Error as EngineError, Exception, Object, Value};
use wasmill_sdk::engine::Fault;
use wasmill_sdk::{Error, Problem};

use crate::module::NAME;

/// What ended a script.
pub struct Thrown {
    /// Which case of the contract's error it is; what a script doesn't say is `failed`.
    kind: Option<String>,
    code: String,
    message: String,
    next: String,
    /// Line and column in the source, from 1.
    place: Option<(u32, u32)>,
}

impl Thrown {
    /// The engine itself can't go on.
    pub fn internal(error: &EngineError) -> Self {
        let (code, message) = ("javascript.engine".to_owned(), error.to_string());
        Self { kind: None, code, message, next: String::new(), place: None }
    }

    /// What was thrown in a context.
    pub fn catch(ctx: &Ctx<'_>, error: &EngineError) -> Self {
        match error {
            EngineError::Exception => Self::of(ctx, &ctx.catch()),
            EngineError::WouldBlock => Self::exception("it waits for a promise that nothing will settle".to_owned()),
            error => Self::internal(error),
        }
    }

    fn exception(message: String) -> Self {
        Self { kind: None, code: "javascript.exception".to_owned(), message, next: String::new(), place: None }
    }

    fn of<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Self {
        let Some(object) = value.as_object() else {
            let text = ctx.json_stringify(value.clone()).ok().flatten().and_then(|text| text.to_string().ok());
            return Self::exception(format!("it threw {}", text.unwrap_or_else(|| value.type_name().to_owned())));
        };
        let text = |name: &str| object.get::<_, Option<String>>(name).ok().flatten();
        let message = text("message").unwrap_or_default();
        let message = match text("name").filter(|name| name != "Error") {
            Some(name) => format!("{name}: {message}"),
            None => message,
        };
        Self {
            kind: text("kind"),
            code: text("code").unwrap_or_else(|| "javascript.exception".to_owned()),
            message,
            next: text("next").unwrap_or_default(),
            place: text("stack").and_then(|stack| place(&stack)),
        }
    }

    /// As something wrong with the source.
    pub fn fault(self) -> Fault {
        let (line, column) = self.place.unwrap_or_default();
        Fault { message: self.message, line, column }
    }

    /// As the answer to a call.
    pub fn error(self) -> Error {
        let message = match self.place {
            Some((line, column)) => format!("{} ({NAME}:{line}:{column})", self.message),
            None => self.message,
        };
        let problem = Problem { code: self.code, message, next: self.next, retry_after_ms: None };
        match self.kind.as_deref() {
            Some("denied") => Error::Denied(problem),
            Some("invalid") => Error::Invalid(problem),
            Some("not-found") => Error::NotFound(problem),
            Some("limit") => Error::Limit(problem),
            Some("unavailable") => Error::Unavailable(problem),
            _ => Error::Failed(problem),
        }
    }
}

/// An error of the host as what a script can catch: an `Error` with `kind`, `code` and `next`.
pub fn throw(ctx: &Ctx<'_>, error: &Error) -> EngineError {
    let kind = match error {
        Error::Denied(_) => "denied",
        Error::Invalid(_) => "invalid",
        Error::NotFound(_) => "not-found",
        Error::Limit(_) => "limit",
        Error::Unavailable(_) => "unavailable",
        Error::Failed(_) => "failed",
    };
    let problem = error.problem();
    let thrown = || {
        let exception = Exception::from_message(ctx.clone(), &problem.message)?;
        let object: &Object<'_> = exception.as_object();
        object.set("kind", kind)?;
        object.set("code", problem.code.as_str())?;
        object.set("next", problem.next.as_str())?;
        if let Some(ms) = problem.retry_after_ms {
            // Numbers of a script are doubles; this one is at most a day.
            object.set("retryAfterMs", ms as f64)?;
        }
        Ok(exception.throw())
    };
    thrown().unwrap_or_else(|error| error)
}

/// The innermost place in the source, from a stack such as `    at f (tool.js:3:9)`.
fn place(stack: &str) -> Option<(u32, u32)> {
    let (_, rest) = stack.split_once(&format!("{NAME}:"))?;
    let mut numbers = rest.split(|c: char| !c.is_ascii_digit()).map(|digits| digits.parse().ok());
    Some((numbers.next()??, numbers.next().flatten().unwrap_or_default()))
}
