//! Engines: components that run tools which are text, in one language.

use crate::Tool;
use crate::bindings::engine::wasmill::plugin::source as imported;

pub use crate::bindings::engine::exports::wasmill::plugin::engine::Fault;

/// An engine. Export it with [`engine!`](crate::engine!).
///
/// Every instance belongs to one tool and is thrown away after one call, so there is no `self`. `describe` and `call` of
/// [`Tool`] answer for the tool whose text [`source`] gives.
pub trait Engine: Tool {
    /// Looks whether the source is a tool.
    ///
    /// # Errors
    /// The first thing that is wrong, and where.
    fn check() -> Result<(), Fault>;
}

/// The whole source of the tool that this instance is.
pub fn source() -> String {
    imported::text()
}

/// Makes a type that implements [`Engine`](crate::engine::Engine) what this component exports.
#[macro_export]
macro_rules! engine {
    ($engine:ident) => {
        const _: () = {
            #[doc(hidden)]
            struct Component;

            impl $crate::bindings::engine::exports::wasmill::plugin::engine::Guest for Component {
                fn check() -> ::std::result::Result<(), $crate::engine::Fault> {
                    <$engine as $crate::engine::Engine>::check()
                }
            }

    $crate::bindings::engine::export_engine!(Component with_types_in $crate::bindings::engine);
        };
        $crate::__export_tool!($engine);
    };
}
