//! Components outside of this home: in OCI registries, and in layouts that a web server or a folder has.
//!
//! The way of a component into this home: a [`Location`] says where, a [`Reader`] gets bytes from there, [`pull`] bounds them
//! and checks each against its digest. What comes out is a bundle of which nothing is believed: signature, lock file and
//! rollback are looked at where it is installed, wherever it came from.

mod auth;
mod config;
mod credentials;
mod error;
mod fetch;
mod layout;
mod location;
mod oci;
mod pull;
mod push;
mod search;
mod session;

pub use config::{RegistryConfig, misfit};
pub use credentials::Credentials;
pub use error::RegistryError;
pub use fetch::Http;
pub use location::{At, Layout, Location, Repository, tag_of, version_of};
pub use oci::Oci;
pub use pull::{Expected, Reader, pull};
pub use push::{Pushed, push};
pub use search::{Access, Offer, choose, newest_of, search};
