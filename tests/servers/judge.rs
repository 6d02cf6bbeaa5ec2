//! HL7's validator as a process: a resource in, its findings out.

use e2e::servers::{folder, run_java};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, OnceLock};

/// One finding, from warning upwards.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Finding {
    pub(crate) error: bool,
    /// A FHIRPath without its indices.
    pub(crate) place: String,
    pub(crate) says: String,
}

type Pipes = (ChildStdin, BufReader<ChildStdout>);

#[expect(clippy::zombie_processes, reason = "it ends with this process, when its standard input does")]
fn process() -> &'static Mutex<Pipes> {
    static JUDGE: OnceLock<Mutex<Pipes>> = OnceLock::new();
    JUDGE.get_or_init(|| {
        let errors = File::create(folder().join("judge.log")).unwrap();
        let mut judge = run_java("Judge", &[]);
        let judge = judge.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut child = judge.spawn().expect("java runs");
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Mutex::new((input, BufReader::new(output)))
    })
}

/// Everything that the judge has against a resource, by R4 itself and by these profiles.
#[track_caller]
pub(crate) fn judge(resource: &Value, profiles: &[String]) -> Vec<Finding> {
    let asked = json!({ "profiles": profiles, "resource": resource.to_string() });
    let mut pipes = process().lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    writeln!(pipes.0, "{asked}").and_then(|()| pipes.0.flush()).expect("the judge listens");
    let mut line = String::new();
    pipes.1.read_line(&mut line).expect("the judge answers");
    let said: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("the judge said {line:?}: {e}"));
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    let finding = |finding: &Value| Finding {
        error: finding["severity"] == "error",
        place: without_indices(&text(finding, "place")),
        says: text(finding, "says"),
    };
    let mut findings: Vec<Finding> = said.as_array().unwrap().iter().map(finding).collect();
    // A profile repeats what its base has said.
    findings.sort();
    findings.dedup();
    findings
}

/// `Observation.component[0].code` is `Observation.component.code`.
fn without_indices(place: &str) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for c in place.chars() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            c if !inside => kept.push(c),
            _ => {}
        }
    }
    kept
}

/// R4's vital signs by LOINC code, and by those of 11073 that the hub files as them.
const VITAL_SIGNS: [(&str, &[&str], &str); 7] = [
    ("85354-9", &["150020"], "bp"),
    ("29463-7", &["188736"], "bodyweight"),
    ("8310-5", &["150364"], "bodytemp"),
    ("2708-6", &["150456"], "oxygensat"),
    ("8867-4", &["149546", "149530", "147842"], "heartrate"),
    ("8302-2", &["188740"], "bodyheight"),
    ("39156-5", &["188752"], "bmi"),
];

/// The profiles that a resource must fit beyond R4: what is filed as a vital sign fits `vitalsigns`, and its own, also if it lacks
/// the code that the profile demands.
pub(crate) fn profiles(resource: &Value) -> Vec<String> {
    let mut all = vec![];
    if resource["resourceType"] == "Observation" {
        let coded = |at: &Value, code: &str| {
            at["coding"].as_array().into_iter().flatten().any(|coding| coding["code"] == code)
        };
        let filed = resource["category"].as_array().into_iter().flatten().any(|c| coded(c, "vital-signs"));
        all.extend(filed.then_some("vitalsigns"));
        let own = VITAL_SIGNS.iter().filter(|(loinc, ieee, _)| {
            let has = |code: &&str| coded(&resource["code"], code);
            has(loinc) || filed && ieee.iter().any(has)
        });
        all.extend(own.map(|(.., profile)| *profile));
    }
    all.iter().map(|name| format!("http://hl7.org/fhir/StructureDefinition/{name}")).collect()
}
