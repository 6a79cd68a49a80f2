//! A real Alertmanager, firing and resolving an alert at a real server's bridge.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::json;

use crate::{cli::run, http, ledger::Ledger, support};

/// A running Alertmanager; its process ends with it.
struct Alertmanager {
    process: Child,
    url: String,
}

impl Alertmanager {
    /// Starts it with receivers as they were printed, and a route that sends at once.
    fn start(program: &Path, folder: &Path, receivers: &str) -> Self {
        let route = "route: {receiver: piperoll, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}";
        let file = folder.join("alertmanager.yml");
        std::fs::write(&file, format!("{route}\n{receivers}")).unwrap();
        let mut process = Command::new(program)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.path={}",
                folder.join("alertmanager").display()
            ))
            .args([
                "--web.listen-address=127.0.0.1:0",
                "--cluster.listen-address=",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines
                .next()
                .expect("Alertmanager ended before it listened")
                .unwrap();
            if let Some((_, rest)) = line.split_once("address=127.0.0.1:") {
                break format!("127.0.0.1:{}", rest.split_whitespace().next().unwrap());
            }
        };
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop)); // so that its log never blocks it
        Self {
            process,
            url: format!("http://{address}"),
        }
    }

    async fn post(&self, alerts: serde_json::Value) {
        let url = format!("{}/api/v2/alerts", self.url);
        let (status, body) = http::post(
            &url,
            "application/json",
            &[],
            alerts.to_string().into_bytes(),
        )
        .await
        .unwrap();
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_alertmanager_firing_and_resolving_becomes_two_entries() {
    let test = "a_real_alertmanager_firing_and_resolving_becomes_two_entries";
    let Some(program) =
        support::from_environment(test, "PIPEROLL_TEST_ALERTMANAGER", "Alertmanager")
    else {
        return;
    };
    let ledger = Ledger::found();
    let server = ledger.serve();
    let words = ["add", "bridge", "alertmanager", "--data", "data"];
    let names = [
        "--service-label",
        "app",
        "--map-service",
        "storefront=checkout",
        "--map-environment",
        "prod=production",
    ];
    let said = run(
        &ledger,
        &[&words[..], &names].concat(),
        &[("PIPEROLL_SERVER", &server.url)],
    );
    let (_, receivers) = said
        .succeeds()
        .out
        .split_once("\n\n")
        .expect("one line of words, then what to paste");
    let alertmanager = Alertmanager::start(&program, &ledger.path(""), receivers);
    let labels = json!({"alertname": "HighErrorRate", "app": "storefront", "environment": "prod", "severity": "page"});
    let mut alert = json!({
        "labels": labels,
        "annotations": {"summary": "5xx at 12 %"},
        "startsAt": "2026-11-21T02:13:00.000Z",
        "generatorURL": "http://prometheus.example/graph",
    });
    alertmanager.post(json!([alert])).await;
    let fired = server.wait_for_entry("alert.fired").await;
    assert_eq!(fired["service"], "checkout");
    assert_eq!(fired["environment"], "production");
    assert_eq!(fired["principal"], "urn:piperoll:bridge:alertmanager");
    assert!(
        fired["summary"].as_str().unwrap().contains("HighErrorRate"),
        "{fired}"
    );
    alert["endsAt"] = json!("2026-11-21T02:30:00.000Z");
    alertmanager.post(json!([alert])).await;
    let resolved = server.wait_for_entry("alert.resolved").await;
    assert_eq!(resolved["service"], "checkout");
    let subject = |index: &serde_json::Value| {
        ledger.sql(&format!("select subject from entry where idx = {index}"))
    };
    assert_eq!(
        subject(&fired["index"]),
        subject(&resolved["index"]),
        "one alert has one subject"
    );
    let (_, log) = server.get("/v1/log?kind=alert.*").await;
    assert_eq!(
        log["rows"]
            .as_array()
            .unwrap_or_else(|| panic!("{log}"))
            .len(),
        2
    );
}
