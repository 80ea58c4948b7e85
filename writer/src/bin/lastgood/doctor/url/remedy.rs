//! The setting of the server that is at the other end, or of all that are usual.

use crate::remote::Answer;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    Nginx,
    Caddy,
    Bucket,
    Unknown,
}

/// What to set in each: for nginx in the `location` of the feed, for Caddy in its `handle_path`, which takes the prefix
/// off before anything in it is compared.
pub(super) struct Settings<'a> {
    pub(super) nginx: &'a str,
    pub(super) caddy: &'a str,
    pub(super) bucket: &'a str,
}

/// Lines for Caddy, which wants each directive on a line of its own.
pub(super) mod caddy {
    pub(in super::super) const CURRENT: &str =
        "@current not path /objects/* /.lock\nheader @current Cache-Control no-cache";
    pub(in super::super) const OBJECTS: &str = "@objects {\n  path /objects/*\n  file\n}\n\
        header @objects Cache-Control \"public, max-age=31536000, immutable\"";
    pub(in super::super) const LOCK: &str = "@unlocked {\n  path /.lock\n  not file\n}\n\
        respond @unlocked 204\nheader /.lock Cache-Control no-store";
    pub(in super::super) const PRIVATE: &str = "@private path /.lastgood/*\nrespond @private 404";
    pub(in super::super) const COMPRESSED: &str = "file_server {\n  precompressed br gzip\n}";
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

    /// The setting for the feed at `path`.
    pub(super) fn remedy(self, path: &str, settings: &Settings<'_>) -> String {
        let nginx = format!("nginx, in location {path} {{ … }}: {}", settings.nginx);
        let caddy = format!("Caddy, in handle_path {path}* {{ … }}:\n{}", settings.caddy);
        let bucket = format!("bucket: {}", settings.bucket);
        match self {
            Server::Nginx => nginx,
            Server::Caddy => caddy,
            Server::Bucket => bucket,
            Server::Unknown => [nginx, caddy, bucket].join("\n"),
        }
    }
}
