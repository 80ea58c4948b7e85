//! Projects without a page: Node, test runners, type checkers.

use crate::project::Project;
use crate::{assert_read, site};

#[test]
fn node() {
    let project = Project::install("node");
    let site = site(project.path(""));
    for file in ["import.mjs", "inline.mjs", "require.cjs", "query.mjs"] {
        assert_read(&project.node(file, &site), file);
    }
    assert_eq!(project.node("render.mjs", &site), "<p>0 days</p>\n");
    let entries = "inline.js lastgood.js react-status.js react.js tanstack.js testing.js vite.js";
    for file in ["imports-touch-nothing.mjs", "requires-wait-for-nothing.cjs"] {
        assert_eq!(project.node(file, &site), entries, "{file}");
    }
}

#[test]
fn deno() {
    let project = Project::install("deno");
    let program = project.platform_binary("@deno", "deno");
    let site = site(project.path(""));
    assert_read(&project.run(&program, &["run", "--allow-all", "run.mjs"], &site), "Deno");
}

#[test]
fn vitest() {
    let project = Project::install("vitest");
    project.npm_run("test", &site(project.path("")));
}

#[test]
fn jest() {
    let project = Project::install("jest");
    let site = site(project.path(""));
    project.npm_run("test", &site);
    project.npm_run("test:commonjs", &site);
}

#[test]
fn typescript() {
    let project = Project::install("typescript");
    project.npm_run("test", &site(project.path("")));
}
