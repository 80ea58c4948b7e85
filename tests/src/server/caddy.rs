//! Caddy with the site of the documentation.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{Server, free_address, prefix, replace, unprivileged};
use crate::docs::example;

pub(super) fn start(www: &Path) -> Option<Server> {
    let (prefix, address) = (prefix(), free_address());
    let mut documented = example("docs/operations.md", "caddy");
    documented = replace(&documented, "example.org {", &format!("http://{address} {{"));
    documented = replace(&documented, "/srv/www", &www.display().to_string());
    launch(prefix, address, &documented)
}

/// A site whose only `handle_path`, for the feed, has these settings.
pub(super) fn start_with(www: &Path, settings: &str) -> Option<Server> {
    let (prefix, address) = (prefix(), free_address());
    let root = www.join("data").display().to_string();
    let files = if settings.contains("file_server") { "" } else { "file_server" };
    let site = format!("http://{address} {{\nhandle_path /data/* {{\nroot * {root}\n{settings}\n{files}\n}}\n}}\n");
    launch(prefix, address, &site)
}

fn launch(prefix: TempDir, address: String, site: &str) -> Option<Server> {
    // Without the interface for administration, which every instance would open at the same port.
    fs::write(prefix.path().join("Caddyfile"), format!("{{\n\tadmin off\n}}\n{site}")).unwrap();
    let mut command = unprivileged("caddy");
    command.args(["run", "--config", "Caddyfile"]).current_dir(prefix.path());
    for variable in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        command.env(variable, prefix.path());
    }
    Server::launch(command, address, prefix)
}
