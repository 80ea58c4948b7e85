//! The setting of the server that is at the other end, or of all that are usual.

use super::client::Answer;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    Nginx,
    Caddy,
    Bucket,
    Unknown,
}

/// What to set in each.
pub(super) struct Settings<'a> {
    pub(super) nginx: &'a str,
    pub(super) caddy: &'a str,
    pub(super) bucket: &'a str,
}

impl Server {
    /// Whoever the `Server` header names.
    pub(super) fn of(answer: &Answer) -> Self {
        let name = answer.header("server").unwrap_or_default().to_ascii_lowercase();
        let is = |names: &[&str]| names.iter().any(|known| name.contains(known));
        if is(&["nginx", "openresty"]) {
            Server::Nginx
        } else if is(&["caddy"]) {
            Server::Caddy
        } else if is(&["amazons3", "cloudfront", "uploadserver", "azure", "minio"]) {
            Server::Bucket
        } else {
            Server::Unknown
        }
    }

    pub(super) fn remedy(self, settings: &Settings<'_>) -> String {
        let Settings { nginx, caddy, bucket } = settings;
        match self {
            Server::Nginx => format!("nginx: {nginx}"),
            Server::Caddy => format!("Caddy: {caddy}"),
            Server::Bucket => format!("bucket: {bucket}"),
            Server::Unknown => format!("nginx: {nginx}\nCaddy: {caddy}\nbucket: {bucket}"),
        }
    }
}
