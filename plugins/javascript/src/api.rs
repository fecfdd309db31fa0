//! What a script sees of the host: the global object `wasmill`, and `console`.

use rquickjs::function::{Opt, Rest};
use rquickjs::{Coerced, Ctx, Function, Object, Result, Value};
use wasmill_sdk::log::Level;
use wasmill_sdk::{Error, config, http, log, model, tools};

use crate::thrown::throw;

/// Levels by the name of `console`'s function.
const CONSOLE: [(&str, Level); 5] = [
    ("debug", Level::Debug),
    ("log", Level::Info),
    ("info", Level::Info),
    ("warn", Level::Warn),
    ("error", Level::Error),
];

/// Puts everything into the global object.
pub fn install(ctx: &Ctx<'_>) -> Result<()> {
    let wasmill = Object::new(ctx.clone())?;
    wasmill.set("config", Function::new(ctx.clone(), |key: String| config::get(&key))?)?;
    wasmill.set("call", Function::new(ctx.clone(), call)?)?;
    wasmill.set("ask", Function::new(ctx.clone(), ask)?)?;
    wasmill.set("send", Function::new(ctx.clone(), send)?)?;
    ctx.globals().set("wasmill", wasmill)?;
    let console = Object::new(ctx.clone())?;
    for (name, level) in CONSOLE {
        let write = move |words: Rest<Coerced<String>>| {
            let words: Vec<String> = words.0.into_iter().map(|word| word.0).collect();
            log::write(level, &words.join(" "), &[]);
        };
        console.set(name, Function::new(ctx.clone(), write)?)?;
    }
    ctx.globals().set("console", console)
}

/// `wasmill.call(tool, function, arguments)`: calls another tool, and gives its result.
fn call<'js>(ctx: Ctx<'js>, tool: String, function: String, arguments: Opt<Value<'js>>) -> Result<Value<'js>> {
    let arguments = match arguments.0.map(|value| ctx.json_stringify(value)).transpose()?.flatten() {
        Some(text) => text.to_string()?,
        None => "{}".to_owned(),
    };
    let answer = tools::call(&tool, &function, &arguments).map_err(|error| throw(&ctx, &error))?;
    ctx.json_parse(answer)
}

/// `wasmill.ask(question)`: what the host's model answers, as text.
fn ask(ctx: Ctx<'_>, question: String) -> Result<String> {
    model::ask(question).map(|answer| answer.content).map_err(|error| throw(&ctx, &error))
}

/// `wasmill.send({ method, url, headers, body })`: an HTTP request; gives `{ status, headers, body }` with a body of text.
fn send<'js>(ctx: Ctx<'js>, wanted: Object<'js>) -> Result<Object<'js>> {
    let method: Option<String> = wanted.get("method")?;
    let mut request = http::Request::new(method.as_deref().unwrap_or("GET"), wanted.get::<_, String>("url")?);
    if let Some(headers) = wanted.get::<_, Option<Object<'_>>>("headers")? {
        for header in headers.props::<String, String>() {
            let (name, value) = header?;
            request = request.with_header(&name, value);
        }
    }
    request.body = wanted.get::<_, Option<String>>("body")?.unwrap_or_default().into_bytes();
    let response = http::send(&request).map_err(|error| throw(&ctx, &error))?;
    let not_text = |_| throw(&ctx, &Error::failed("javascript.body", "the body of the answer is not UTF-8 text"));
    let headers = Object::new(ctx.clone())?;
    for (name, value) in response.headers {
        headers.set(name, String::from_utf8_lossy(&value).into_owned())?;
    }
    let answer = Object::new(ctx.clone())?;
    answer.set("status", response.status)?;
    answer.set("headers", headers)?;
    answer.set("body", String::from_utf8(response.body).map_err(not_text)?)?;
    Ok(answer)
}
