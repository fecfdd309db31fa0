//! Behaviour of matrix, grants and denials together.

mod attenuation;
mod denials;
mod files;
mod manual;
mod pins;

use super::*;

fn matrix(text: &str) -> Matrix {
    Matrix::parse(text).unwrap()
}

fn permissions(text: &str) -> wasmill_registry::Permissions {
    toml::from_str(text).unwrap()
}
