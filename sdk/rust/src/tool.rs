//! The small way to make a tool: a trait over text, no schema generator, no JSON.

use crate::Error;
use crate::bindings::agent::wasmill::plugin::tool_types;

pub use tool_types::Function;

/// A tool. Export it with [`tool!`](crate::tool).
///
/// Every call meets a fresh instance, so there is no `self`. Whoever would rather write functions with types uses
/// `tool! { fn … }` and never sees this trait.
pub trait Tool {
    /// Describes the functions. Always the same answer for the same component.
    fn describe() -> Vec<Function>;

    /// Runs one function. `arguments` is the text of a JSON object; so must the result be JSON.
    ///
    /// # Errors
    /// [`Error::no_function`] for a name that `describe` does not list, whatever fits for the rest.
    fn call(function: &str, arguments: &str) -> Result<String, Error>;
}

impl Function {
    /// A function by its name, a sentence on what it does, and the JSON Schemas of arguments and result as text.
    pub fn new(name: &str, description: &str, input_schema: &str, output_schema: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            input_schema: input_schema.to_owned(),
            output_schema: output_schema.to_owned(),
        }
    }
}

/// Makes a type that implements [`Tool`](crate::Tool) what this component exports.
#[cfg(not(feature = "typed"))]
#[macro_export]
macro_rules! tool {
    ($tool:ident) => {
        $crate::__export_tool!($tool);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_tool {
    ($tool:ident) => {
        const _: () = {
            #[doc(hidden)]
            struct Component;

            impl $crate::bindings::tool::exports::wasmill::plugin::tool::Guest for Component {
                fn describe() -> ::std::vec::Vec<$crate::Function> {
                    <$tool as $crate::Tool>::describe()
                }

                fn call(
                    function: ::std::string::String,
                    arguments: ::std::string::String,
                ) -> ::std::result::Result<::std::string::String, $crate::Error> {
                    <$tool as $crate::Tool>::call(&function, &arguments)
                }
            }

    $crate::bindings::tool::export_tool!(Component with_types_in $crate::bindings::tool);
        };
    };
}
