//! A tool's source as a module that was evaluated.

use rquickjs::{Context, Ctx, Module, Object, Result, Runtime};

use crate::api;
use crate::thrown::Thrown;

/// What messages call the source.
pub const NAME: &str = "tool.js";

/// Evaluates the source, and works with what it exports.
pub fn with_exports<R>(
    work: impl for<'js> FnOnce(&Ctx<'js>, &Object<'js>) -> Result<R>,
) -> std::result::Result<R, Thrown> {
    let runtime = Runtime::new().map_err(|error| Thrown::internal(&error))?;
    let context = Context::full(&runtime).map_err(|error| Thrown::internal(&error))?;
    let done = context.with(|ctx| {
        let done = evaluate(&ctx).and_then(|exports| work(&ctx, &exports));
        done.map_err(|error| Thrown::catch(&ctx, &error))
    });
    // The whole instance is thrown away after this; freeing each object first would only take time.
    std::mem::forget((context, runtime));
    done
}

fn evaluate<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    api::install(ctx)?;
    let module = Module::declare(ctx.clone(), NAME, wasmill_sdk::engine::source())?;
    let (module, evaluated) = module.eval()?;
    evaluated.finish::<()>()?;
    module.namespace()
}
