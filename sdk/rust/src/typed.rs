//! Typed functions as tools: what the expansion of [`tool!`](crate::tool) calls. Nothing here is called by hand.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::{Error, Function};

/// What a function may return: `Result<T, E>`, where `T` has a JSON form and `E` becomes an [`Error`].
pub trait Answer {
    /// What it returns when all goes well.
    type Value: Serialize + JsonSchema;

    /// The answer with the contract's error.
    ///
    /// # Errors
    /// What the function returned.
    fn answer(self) -> Result<Self::Value, Error>;
}

impl<T: Serialize + JsonSchema, E: Into<Error>> Answer for Result<T, E> {
    type Value = T;

    fn answer(self) -> Result<T, Error> {
        self.map_err(Into::into)
    }
}

/// Arguments of one call, taken out one by one.
#[derive(Debug)]
pub struct Arguments(Map<String, Value>);

impl Arguments {
    /// Reads the text of a JSON object.
    ///
    /// # Errors
    /// `invalid` for everything else.
    pub fn parse(text: &str) -> Result<Self, Error> {
        crate::json::parse(text).map(Self)
    }

    /// Takes one argument out. An absent one counts as `null`, so that an `Option` may be left out.
    ///
    /// # Errors
    /// `invalid` with the argument's name where it is missing or does not fit.
    pub fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, Error> {
        let value = self.0.remove(name);
        let missing = value.is_none();
        serde_json::from_value(value.unwrap_or_default()).map_err(|error| {
            let what = if missing { "is missing".to_owned() } else { format!("does not fit: {error}") };
            Error::invalid("json.arguments", format!("argument `{name}` {what}"))
        })
    }

    /// Looks whether something is left that the function does not know.
    ///
    /// # Errors
    /// `invalid` with the first such name.
    pub fn finish(self) -> Result<(), Error> {
        match self.0.keys().next() {
            Some(name) => Err(Error::invalid("json.arguments", format!("there is no argument `{name}`"))),
            None => Ok(()),
        }
    }
}

/// Builds the description of one function.
#[derive(Debug)]
pub struct Describe {
    generator: SchemaGenerator,
    properties: Map<String, Value>,
    required: Vec<Value>,
}

impl Default for Describe {
    fn default() -> Self {
        // Schemas of single arguments are put together into one, so they carry everything that they need within them.
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.meta_schema = None;
            settings.inline_subschemas = true;
        });
        Self { generator: settings.into_generator(), properties: Map::new(), required: Vec::new() }
    }
}

impl Describe {
    /// Adds an argument with the lines of its documentation comment.
    #[must_use]
    pub fn argument<T: JsonSchema + DeserializeOwned>(mut self, name: &str, lines: &[&str]) -> Self {
        let mut schema = T::json_schema(&mut self.generator).to_value();
        let text = prose(lines);
        if let (false, Value::Object(schema)) = (text.is_empty(), &mut schema) {
            schema.insert("description".to_owned(), Value::String(text));
        }
        if serde_json::from_value::<T>(Value::Null).is_err() {
            self.required.push(name.into());
        }
        self.properties.insert(name.to_owned(), schema);
        self
    }

    /// Finishes with the function's name, the lines of its documentation comment, and what it returns.
    pub fn function<A: Answer>(mut self, name: &str, lines: &[&str], _: Option<A>) -> Function {
        let mut output = A::Value::json_schema(&mut self.generator).to_value();
        let mut input = json!({
            "type": "object",
            "properties": self.properties,
            "required": self.required,
            "additionalProperties": false,
        });
        // Only types that contain themselves end up here; everything else is written out where it is used.
        let definitions = self.generator.take_definitions(true);
        if !definitions.is_empty() {
            for schema in [&mut input, &mut output] {
                if let Value::Object(schema) = schema {
                    schema.insert("$defs".to_owned(), Value::Object(definitions.clone()));
                }
            }
        }
        Function::new(name, &prose(lines), &input.to_string(), &output.to_string())
    }
}

/// Lines of a documentation comment as text: the space behind `///` goes, lines of one paragraph become one line.
fn prose(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines.iter().map(|line| line.trim()) {
        if line.is_empty() {
            text.push_str("\n\n");
        } else {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push(' ');
            }
            text.push_str(line);
        }
    }
    text.trim().to_owned()
}

/// Makes this component a tool: from functions, or from a type that implements [`Tool`](crate::Tool).
///
/// Each function becomes one function of the tool, with its own name. Its documentation comment is the description that
/// people and models choose by, so it is worth a good sentence; arguments may have one too. Arguments and the value
/// within the result are of any type with serde's and schemars' traits; what may be left out is an `Option`. The error is
/// an [`Error`](crate::Error), or a text.
///
/// ```
/// wasmill_sdk::tool! {
///     /// Repeats a text.
///     fn repeat(
///         /// What to repeat.
///         text: String,
///         /// How often; twice where it is left out.
///         times: Option<u8>,
///     ) -> Result<String, String> {
///         Ok(text.repeat(times.unwrap_or(2).into()))
///     }
/// }
/// # fn main() { assert_eq!(repeat("ab".into(), None).unwrap(), "abab"); }
/// ```
///
/// With a type: `wasmill_sdk::tool!(MyTool);`
#[macro_export]
macro_rules! tool {
    ($tool:ident) => {
        $crate::__export_tool!($tool);
    };
    ($(
        $(#[doc = $doc:expr])*
        $vis:vis fn $name:ident($($(#[doc = $argument_doc:expr])* $argument:ident: $type:ty),* $(,)?) -> $answer:ty $body:block
    )+) => {
        $(
            $(#[doc = $doc])*
            $vis fn $name($($argument: $type),*) -> $answer $body
        )+

        #[doc(hidden)]
        struct __Functions;

        impl $crate::Tool for __Functions {
            fn describe() -> ::std::vec::Vec<$crate::Function> {
                ::std::vec![$(
                    $crate::typed::Describe::default()
                        $(.argument::<$type>(::std::stringify!($argument), &[$($argument_doc),*]))*
                        .function(::std::stringify!($name), &[$($doc),*], ::std::option::Option::None::<$answer>)
                ),+]
            }

            fn call(function: &str, arguments: &str) -> ::std::result::Result<::std::string::String, $crate::Error> {
                $(
                    if function == ::std::stringify!($name) {
                        // An argument may have the function's own name and would hide it.
                        let run = $name;
                        #[allow(unused_mut)]
                        let mut arguments = $crate::typed::Arguments::parse(arguments)?;
                        $(let $argument: $type = arguments.take(::std::stringify!($argument))?;)*
                        arguments.finish()?;
                        return $crate::json::print(&$crate::typed::Answer::answer(run($($argument),*))?);
                    }
                )+
                ::std::result::Result::Err($crate::Error::no_function(function))
            }
        }

        $crate::__export_tool!(__Functions);
    };
}
