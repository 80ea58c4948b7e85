//! Projects without a page: Node, test runners, type checkers.

use crate::project::Project;
use crate::{assert_read, site};

#[test]
fn node() {
    let project = Project::install("node");
    let site = site(project.path(""));
    for file in ["import.mjs", "inline.mjs", "require.cjs"] {
        assert_read(&project.node(file, &site), file);
    }
    project.node("imports-touch-nothing.mjs", &site);
}

#[test]
fn vitest() {
    let project = Project::install("vitest");
    project.npm_run("test", &site(project.path("")));
}

#[test]
fn jest() {
    let project = Project::install("jest");
    project.npm_run("test", &site(project.path("")));
}

#[test]
fn typescript() {
    let project = Project::install("typescript");
    project.npm_run("test", &site(project.path("")));
}
