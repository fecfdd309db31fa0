//! JSON text to values and back, with the contract's errors.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// Reads the arguments of a call.
///
/// # Errors
/// `invalid` with `json.arguments`, saying what is wrong where.
pub fn parse<T: DeserializeOwned>(arguments: &str) -> Result<T, Error> {
    serde_json::from_str(arguments).map_err(|error| Error::invalid("json.arguments", error.to_string()))
}

/// Prints a result.
///
/// # Errors
/// `failed` with `json.print` for what JSON has no form for, such as a map whose keys are not text.
pub fn print<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::failed("json.print", error.to_string()))
}
