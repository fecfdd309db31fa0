//! Harness of the end-to-end suites: real servers, started and stopped.
