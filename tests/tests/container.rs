//! The examples for containers: what they say is consistent, and the commands in them are commands.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make files, and fail by panicking")]

use std::collections::BTreeSet;
use std::fs;

use lastgood_tests::TestFeed;
use lastgood_tests::site::workspace;
use yaml_rust2::{Yaml, YamlLoader};

fn read(name: &str) -> String {
    fs::read_to_string(workspace().join("examples/container").join(name)).unwrap()
}

fn documents() -> Vec<Yaml> {
    YamlLoader::load_from_str(&read("kubernetes.yaml")).unwrap()
}

fn of_kind(kind: &str) -> Yaml {
    documents()
        .into_iter()
        .find(|document| document["kind"].as_str() == Some(kind))
        .unwrap_or_else(|| panic!("no {kind}"))
}

/// The pods of the job and of the server.
fn pods() -> [Yaml; 2] {
    let job = of_kind("CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"].clone();
    [job, of_kind("Deployment")["spec"]["template"]["spec"].clone()]
}

fn containers(pod: &Yaml) -> Vec<Yaml> {
    ["initContainers", "containers"].iter().flat_map(|key| pod[*key].as_vec().cloned().unwrap_or_default()).collect()
}

fn texts(list: &Yaml) -> Vec<String> {
    list.as_vec().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[test]
fn nothing_runs_as_root_or_writes_elsewhere() {
    let group = |pod: &Yaml| pod["securityContext"]["fsGroup"].as_i64().unwrap();
    for pod in pods() {
        assert_eq!(pod["securityContext"]["runAsNonRoot"].as_bool(), Some(true));
        assert_ne!(pod["securityContext"]["runAsUser"].as_i64().unwrap(), 0);
        assert_eq!(group(&pod), group(&pods()[0]), "the group that shares the volume");
        for container in containers(&pod) {
            let context = &container["securityContext"];
            assert_eq!(context["readOnlyRootFilesystem"].as_bool(), Some(true), "{container:?}");
            assert_eq!(context["allowPrivilegeEscalation"].as_bool(), Some(false));
            assert_eq!(texts(&context["capabilities"]["drop"]), ["ALL"]);
        }
    }
    // The server only reads.
    let server = containers(&pods()[1]);
    assert!(server[0]["volumeMounts"].as_vec().unwrap().iter().all(|mount| mount["readOnly"].as_bool() == Some(true)));
}

/// What is mounted is there, as a whole, and the feed is no directory that goes with its pod.
#[test]
fn what_is_mounted_is_there() {
    for pod in pods() {
        let volumes = pod["volumes"].as_vec().unwrap();
        let named = |name: &str| volumes.iter().find(|volume| volume["name"].as_str() == Some(name)).cloned().unwrap();
        for container in containers(&pod) {
            for mount in container["volumeMounts"].as_vec().unwrap() {
                named(mount["name"].as_str().unwrap());
                assert!(mount["subPath"].is_badvalue());
            }
        }
        let claim = named("feed")["persistentVolumeClaim"]["claimName"].as_str().unwrap().to_owned();
        assert_eq!(Some(claim.as_str()), of_kind("PersistentVolumeClaim")["metadata"]["name"].as_str());
        for volume in volumes.iter().filter(|volume| !volume["configMap"].is_badvalue()) {
            assert_eq!(volume["configMap"]["name"].as_str(), of_kind("ConfigMap")["metadata"]["name"].as_str());
        }
    }
    let (deployment, service) = (of_kind("Deployment"), of_kind("Service"));
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    assert_eq!((&deployment["spec"]["selector"]["matchLabels"], &service["spec"]["selector"]), (labels, labels));
}

#[test]
fn the_commands_and_the_configuration_are_right() {
    let feed = TestFeed::new();
    let mut tried = 0;
    for container in pods().iter().flat_map(containers) {
        if !container["image"].as_str().unwrap().starts_with("example.org/lastgood:") {
            continue;
        }
        let arguments = texts(&container["args"]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(["--help"]).collect();
        feed.run(&arguments).expect(0);
        tried += 1;
    }
    assert_eq!(tried, 2);
    let config = of_kind("ConfigMap")["data"]["lastgood.toml"].as_str().unwrap().to_owned();
    feed.input("here.toml", config.replace("/srv/www/data", "data"));
    feed.run_with(&["publish", "performance", "--config", "here.toml"], "[]").expect(3).says(&["min_rows"]);
    feed.run_with(&["publish", "performance", "--config", "here.toml"], "[1]").expect(0);
    feed.run_with(&["publish", "other", "--config", "here.toml"], "[1]").expect(2);
    // A retry may help when something failed (1) or was locked (4), and never else.
    let rules = &of_kind("CronJob")["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"][0];
    assert_eq!(rules["action"].as_str(), Some("FailJob"));
    let final_codes: Vec<i64> =
        rules["onExitCodes"]["values"].as_vec().unwrap().iter().map(|code| code.as_i64().unwrap()).collect();
    let help = feed.run(&["--help"]).text();
    let listed = help.lines().filter_map(|line| line.trim_start().split_once("  ")?.0.parse::<i64>().ok());
    let all: BTreeSet<i64> = listed.collect();
    let expected: Vec<i64> = all.into_iter().filter(|code| ![0, 1, 4].contains(code)).collect();
    assert_eq!(final_codes, expected);
}

#[test]
fn the_image_has_the_static_binary_and_a_user_who_is_not_root() {
    let dockerfile = read("Dockerfile");
    let last = dockerfile.rsplit("\nFROM ").next().unwrap();
    assert!(last.starts_with("scratch\n"));
    let user = last.lines().find_map(|line| line.strip_prefix("USER ")).unwrap();
    assert!(user.split(':').all(|id| id.parse::<u32>().unwrap() > 0), "{user}");
    assert!(last.contains("COPY --from=build /src/target/dist/lastgood "), "what cargo xtask dist makes");
    let toolchain = fs::read_to_string(workspace().join("rust-toolchain.toml")).unwrap();
    let channel = toolchain.split("channel = \"").nth(1).unwrap().split('"').next().unwrap();
    let image = dockerfile.split("FROM rust:").nth(1).unwrap().split('-').next().unwrap();
    assert!(channel.starts_with(image), "the toolchain of the repository is {channel}, that of the image {image}");
}
