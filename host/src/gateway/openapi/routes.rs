//! Routes that can't be served without being described.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, on};

use super::describe::{Described, Parts};
use super::schemas::Schemas;
use crate::gateway::state::SharedGateway;

/// A method on a route.
#[derive(Clone)]
pub(in crate::gateway) struct Operation {
    /// The method.
    pub method: Method,
    /// The route's pattern.
    pub path: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// What its handler says of itself.
    pub(super) describe: fn(&mut Schemas) -> Parts,
}

/// Routes, with what is said of them.
#[derive(Default)]
pub(in crate::gateway) struct Routes {
    router: Router<SharedGateway>,
    operations: Vec<Operation>,
}

impl Routes {
    /// No routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route for GET.
    pub fn get<H: Handler<T, SharedGateway> + Described<T>, T: 'static>(
        self,
        path: &'static str,
        about: &'static str,
        handler: H,
    ) -> Self {
        self.on(MethodFilter::GET, Method::GET, path, about, handler)
    }

    /// Adds a route for POST.
    pub fn post<H: Handler<T, SharedGateway> + Described<T>, T: 'static>(
        self,
        path: &'static str,
        about: &'static str,
        handler: H,
    ) -> Self {
        self.on(MethodFilter::POST, Method::POST, path, about, handler)
    }

    /// Adds a route for PUT.
    pub fn put<H: Handler<T, SharedGateway> + Described<T>, T: 'static>(
        self,
        path: &'static str,
        about: &'static str,
        handler: H,
    ) -> Self {
        self.on(MethodFilter::PUT, Method::PUT, path, about, handler)
    }

    /// Adds a route for DELETE.
    pub fn delete<H: Handler<T, SharedGateway> + Described<T>, T: 'static>(
        self,
        path: &'static str,
        about: &'static str,
        handler: H,
    ) -> Self {
        self.on(MethodFilter::DELETE, Method::DELETE, path, about, handler)
    }

    /// Lets the bodies of these requests be as large as this, in bytes.
    pub fn body_limit(self, bytes: usize) -> Self {
        Self { router: self.router.layer(DefaultBodyLimit::max(bytes)), ..self }
    }

    /// These routes and others.
    pub fn merge(mut self, other: Self) -> Self {
        self.operations.extend(other.operations);
        Self { router: self.router.merge(other.router), operations: self.operations }
    }

    /// The router, and what is said of it.
    pub fn into_parts(self) -> (Router<SharedGateway>, Vec<Operation>) {
        (self.router, self.operations)
    }

    fn on<H: Handler<T, SharedGateway> + Described<T>, T: 'static>(
        mut self,
        filter: MethodFilter,
        method: Method,
        path: &'static str,
        about: &'static str,
        handler: H,
    ) -> Self {
        self.operations.push(Operation { method, path, about, describe: H::describe });
        Self { router: self.router.route(path, on(filter, handler)), operations: self.operations }
    }
}
