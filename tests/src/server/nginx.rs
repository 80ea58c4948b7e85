//! nginx with the `server` block of the documentation.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Server, free_address, prefix, program, replace, unprivileged};
use crate::docs::example;

pub(super) fn start(www: &Path, brotli: bool) -> Option<Server> {
    let built = built();
    let (prefix, address) = (prefix(), free_address());
    let mut documented = example("docs/operations.md", "nginx");
    documented = replace(&documented, "listen 80;", &format!("listen {address};"));
    documented = replace(&documented, "/srv/www", &www.display().to_string());
    documented = replace(&documented, "    location / {\n", &format!("{OF_THE_SITE}    location / {{\n"));
    let mut main = MAIN.to_owned();
    if brotli {
        documented = replace(&documented, "# brotli_static on;", "brotli_static on;");
        let module = built.modules.join("ngx_http_brotli_static_module.so");
        assert!(module.exists(), "{} is missing; `cargo xtask test` installs it or says how", module.display());
        main = format!("load_module {};\n{main}", module.display());
    }
    fs::copy(built.types, prefix.path().join("mime.types")).unwrap();
    fs::write(prefix.path().join("lastgood.conf"), documented).unwrap();
    fs::write(prefix.path().join("nginx.conf"), main).unwrap();
    let mut command = unprivileged("nginx");
    command.arg("-p").arg(prefix.path()).args(["-c", "nginx.conf", "-e", "stderr"]);
    Server::launch(command, address, prefix)
}

/// A server whose `location` for the feed has these settings, and the server itself those.
pub(super) fn start_with(www: &Path, settings: &str, of_server: &str) -> Option<Server> {
    let (prefix, address) = (prefix(), free_address());
    let www = www.display();
    let server = format!("server {{ listen {address}; root {www}; location /data/ {{ {settings} }} {of_server} }}\n");
    fs::copy(built().types, prefix.path().join("mime.types")).unwrap();
    fs::write(prefix.path().join("lastgood.conf"), server).unwrap();
    let main = MAIN.replace("    open_file_cache max=1000;\n    open_file_cache_valid 1h;\n", "");
    fs::write(prefix.path().join("nginx.conf"), main).unwrap();
    let mut command = unprivileged("nginx");
    command.arg("-p").arg(prefix.path()).args(["-c", "nginx.conf", "-e", "stderr"]);
    Server::launch(command, address, prefix)
}

/// What a package brings as `nginx.conf`, in one process and with every path below the prefix. Files are kept open, as
/// some sites do.
const MAIN: &str = "\
daemon off;
master_process off;
pid pid;
events {}
http {
    include mime.types;
    log_format request '$request_method $uri $status';
    access_log requests request;
    open_file_cache max=1000;
    open_file_cache_valid 1h;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include lastgood.conf;
}
";

/// A rule that many sites have, and that must not reach the feed.
const OF_THE_SITE: &str = r"    location ~* \.(json|txt|png|csv)$ { expires 30d; }
";

/// Where the installed nginx has its files.
struct Built {
    types: PathBuf,
    modules: PathBuf,
}

fn built() -> Built {
    let output = Command::new(program("nginx")).arg("-V").output();
    let output = output.unwrap_or_else(|error| panic!("nginx: {error}; `cargo xtask test` installs it or says how"));
    let said = String::from_utf8(output.stderr).unwrap();
    let option = |name: &str| said.split_whitespace().find_map(|word| word.strip_prefix(name)).map(PathBuf::from);
    let conf = option("--conf-path=").expect("nginx says where its configuration is");
    Built {
        types: conf.with_file_name("mime.types"),
        modules: option("--modules-path=").expect("nginx says where its modules are"),
    }
}
