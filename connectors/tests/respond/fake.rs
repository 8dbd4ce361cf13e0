//! What the stand-ins for other systems' APIs share: a port, failures on order, and a record of what was asked.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;

/// A failure to be answered instead of the next request's own answer.
#[derive(Clone)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    /// Whether the request has its effect all the same.
    pub(crate) heard: bool,
    /// Requests with this method alone; empty: any.
    pub(crate) method: &'static str,
}

impl Failure {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), heard: false, method: "" }
    }
}

/// Failures to come, and what was asked so far.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) failures: VecDeque<Failure>,
    pub(crate) asked: Vec<String>,
}

#[derive(Clone, Default)]
pub(crate) struct Fake(Arc<Mutex<Script>>);

impl Fake {
    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().expect("the script")
    }

    pub(crate) fn fail(&self, failure: Failure) {
        self.script().failures.push_back(failure);
    }

    /// Requests that begin like this.
    pub(crate) fn n_asked(&self, start: &str) -> usize {
        self.script().asked.iter().filter(|line| line.starts_with(start)).count()
    }

    /// Serves the API on loopback until the test ends.
    pub(crate) async fn serve(&self, router: Router) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let router = router.layer(from_fn_with_state(self.clone(), meddle));
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }
}

async fn meddle(State(fake): State<Fake>, request: Request, next: Next) -> Response {
    let failure = {
        let mut script = fake.script();
        script.asked.push(format!("{} {}", request.method(), request.uri()));
        let fits = script
            .failures
            .front()
            .is_some_and(|next| next.method.is_empty() || next.method == request.method().as_str());
        if fits { script.failures.pop_front() } else { None }
    };
    let Some(failure) = failure else { return next.run(request).await };
    if failure.heard {
        next.run(request).await;
    }
    let status = StatusCode::from_u16(failure.status).expect("a status");
    let mut response = (status, failure.body).into_response();
    for (name, value) in failure.headers {
        response.headers_mut().insert(name, value.parse().expect("a value"));
    }
    response
}
