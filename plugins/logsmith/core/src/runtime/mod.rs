//! What a generated parser does at run time. Its files are printed word for word into the source of every parser, so that
//! what was measured while learning is what the parser does. It must never know how templates are found, and uses nothing
//! but the standard library and `serde_json`.

pub mod answer;
pub mod atom;
pub mod head;
pub mod parse;
pub mod token;
pub mod tree;
