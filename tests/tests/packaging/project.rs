//! A project of `tests/packaging/` with its pinned tools and the packed package installed.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use lastgood_tests::site::{Site, tarball, workspace};
use rustix::process::{Pid, Signal, kill_process_group};

/// How long a server may take to say where it listens.
const START: Duration = Duration::from_secs(60);

/// A small project of somebody who uses the package.
pub(crate) struct Project {
    directory: PathBuf,
    /// Locked: one test at a time works in a directory.
    _alone: File,
}

impl Project {
    /// Installs what the project's lock file pins, and the tarball.
    pub(crate) fn install(name: &str) -> Self {
        let directory = workspace().join("tests/packaging").join(name);
        let alone = File::open(directory.join("package.json")).unwrap();
        alone.lock().unwrap();
        let project = Self { directory, _alone: alone };
        project.install_pinned();
        project.install_package();
        project
    }

    /// A file or a directory of the project.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Runs the script `build` of its package.json, which must find nothing to warn of.
    pub(crate) fn build(&self, site: &Site) {
        self.build_by("build", site);
    }

    /// Runs another script that builds, which must find nothing to warn of either.
    pub(crate) fn build_by(&self, script: &str, site: &Site) {
        let said = self.npm_run(script, site).to_lowercase();
        for warning in ["warning", "(!)", "⚠"] {
            assert!(!said.contains(warning), "{said}");
        }
    }

    /// Runs a script of its package.json and returns what it prints.
    pub(crate) fn npm_run(&self, script: &str, site: &Site) -> String {
        let printed = self.capture(self.command("npm").args(["run", "--silent", script]).env("SITE", site.url()));
        printed.join("\n")
    }

    /// Runs a file with Node, which must have nothing to say of it, and returns what it prints on stdout.
    pub(crate) fn node(&self, file: &str, site: &Site) -> String {
        let [stdout, stderr] = self.capture(self.command("node").arg(file).env("SITE", site.url()));
        assert_eq!(stderr, "", "{file}");
        stdout
    }

    /// A program that npm installs as a package for this platform alone, in a scope that has no other: what its install script
    /// would find.
    pub(crate) fn platform_binary(&self, scope: &str, program: &str) -> PathBuf {
        let packages = fs::read_dir(self.path("node_modules").join(scope)).unwrap();
        let mut programs = packages.map(|package| package.unwrap().path().join(program));
        programs.find(|program| program.is_file()).unwrap_or_else(|| panic!("{scope} has no {program}"))
    }

    /// Runs a program and returns what it prints on stdout.
    pub(crate) fn run(&self, program: &Path, arguments: &[&str], site: &Site) -> String {
        let [stdout, _] = self.capture(self.command(program).args(arguments).env("SITE", site.url()));
        stdout
    }

    /// Starts a script of its package.json that is a server.
    pub(crate) fn serve(&self, script: &str, site: &Site) -> Server {
        Server::start(self.command("npm").args(["run", "--silent", script]).env("SITE", site.url()))
    }

    fn install_pinned(&self) {
        let lock = fs::read(self.path("package-lock.json")).unwrap();
        // npm ci begins with removing node_modules, and the stamp in it: a stamp that is there stands for an
        // installation that was completed.
        let stamp = self.path("node_modules/.installed-package-lock.json");
        if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
            return;
        }
        self.capture(self.command("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]));
        fs::create_dir_all(self.path("node_modules")).unwrap();
        fs::write(stamp, lock).unwrap();
    }

    /// Not a dependency in package-lock.json: its checksum changes with every build.
    fn install_package(&self) {
        let mut install = self.command("npm");
        install.args(["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]);
        self.capture(install.arg(tarball()));
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.directory)
            .env("NO_COLOR", "1")
            .env("NEXT_TELEMETRY_DISABLED", "1")
            .env("ASTRO_TELEMETRY_DISABLED", "1")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end and returns what it prints on stdout and stderr.
    fn capture(&self, command: &mut Command) -> [String; 2] {
        let output = command.output().unwrap();
        let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        let name = self.directory.file_name().unwrap().display();
        assert!(output.status.success(), "project {name}: {command:?} failed\n{stdout}\n{stderr}");
        [stdout, stderr]
    }
}

/// A server of a project, on a port of its own choice. Dropping it ends it and what it has started.
pub(crate) struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut child = command.process_group(0).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, receiver) = mpsc::channel();
        // Reads on to the end, or a full pipe would stop the server.
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        let mut server = Self { child, url: String::new() };
        let mut said = String::new();
        while server.url.is_empty() {
            let line = receiver.recv_timeout(START).unwrap_or_else(|_| panic!("{command:?} does not listen: {said}"));
            server.url = address(&line).unwrap_or_default();
            said.push_str(&line);
        }
        server
    }

    /// Its address, with a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

/// The address in a line such as "  Local:   http://localhost:5173/".
fn address(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("http://localhost:")?;
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("http://localhost:{port}/"))
}
