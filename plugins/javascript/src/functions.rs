//! A module's exports as functions of a tool.

use rquickjs::function::This;
use rquickjs::promise::MaybePromise;
use rquickjs::{Ctx, Exception, Function, Object, Result, Value};
use wasmill_sdk::Function as Described;

/// What a function takes where it doesn't say.
const ANY_OBJECT: &str = r#"{"type":"object"}"#;
/// What it gives where it doesn't say.
const ANYTHING: &str = "{}";

/// All functions, in the order of their names.
pub fn all<'js>(ctx: &Ctx<'js>, exports: &Object<'js>) -> Result<Vec<Described>> {
    let mut functions = exports
        .keys::<String>()
        .map(|name| {
            let name = name?;
            let (function, _) = find(ctx, exports, &name)?;
            let description: Option<String> = function.get("description")?;
            let input = schema(ctx, &function, "input", ANY_OBJECT)?;
            let output = schema(ctx, &function, "output", ANYTHING)?;
            Ok(Described::new(&name, &description.unwrap_or_default(), &input, &output))
        })
        .collect::<Result<Vec<_>>>()?;
    functions.sort_by(|a, b| a.name.cmp(&b.name));
    match functions.is_empty() {
        true => {
            Err(Exception::throw_type(ctx, "the module exports no function: `export const name = { call() { … } }`"))
        }
        false => Ok(functions),
    }
}

/// Calls one; a promise is waited for.
pub fn call<'js>(ctx: &Ctx<'js>, exports: &Object<'js>, name: &str, arguments: &str) -> Result<String> {
    let (function, call) = find(ctx, exports, name)?;
    let answer: MaybePromise<'_> = call.call((This(function), ctx.json_parse(arguments)?))?;
    let answer: Value<'_> = answer.finish()?;
    ctx.json_stringify(answer)?.map_or_else(|| Ok("null".to_owned()), |text| text.to_string())
}

fn find<'js>(ctx: &Ctx<'js>, exports: &Object<'js>, name: &str) -> Result<(Object<'js>, Function<'js>)> {
    let export: Value<'_> = exports.get(name)?;
    let function = export.into_object();
    let call: Option<Function<'_>> =
        function.as_ref().map(|object| object.get::<_, Value<'_>>("call")).transpose()?.and_then(Value::into_function);
    function.zip(call).ok_or_else(|| {
        Exception::throw_type(
            ctx,
            &format!("the export `{name}` is no function of a tool: it is no object with `call`"),
        )
    })
}

/// A schema as text.
fn schema<'js>(ctx: &Ctx<'js>, function: &Object<'js>, name: &str, unsaid: &str) -> Result<String> {
    match ctx.json_stringify(function.get::<_, Value<'_>>(name)?)? {
        Some(text) => text.to_string(),
        None => Ok(unsaid.to_owned()),
    }
}
