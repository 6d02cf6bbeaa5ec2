//! `corpora spread DIR` writes what each target begins with into DIR/TARGET, a file an input, and its words; `corpora pack DIR` keeps
//! what was found worth keeping there: of the files that libFuzzer merged, the short ones.

//!
//! A target as the others are, and over before it begins: code that is built for libFuzzer links with nothing else.
#![no_main]

use fuzzing::{TARGETS, seeds};
use std::collections::BTreeSet;
use std::path::Path;

libfuzzer_sys::fuzz_target!(init: only(), |_octets: &[u8]| {});

fn only() {
    let done = run();
    if let Err(error) = &done {
        eprintln!("corpora: {error}");
    }
    std::process::exit(i32::from(done.is_err()));
}

fn run() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["spread", folder] => {
            for (target, _) in TARGETS {
                std::fs::create_dir_all(folder)?;
                let words = Path::new(folder).join(target).with_extension("dict");
                std::fs::write(words, dictionary(&root, target))?;
                let folder = Path::new(folder).join(target);
                std::fs::create_dir_all(&folder)?;
                for (number, input) in seeds::all(&root, target).iter().enumerate() {
                    std::fs::write(folder.join(format!("seed-{number:04}")), input)?;
                }
            }
        }
        ["pack", folder] => {
            for (target, _) in TARGETS {
                let mut inputs = vec![];
                for file in std::fs::read_dir(Path::new(folder).join(target))? {
                    inputs.push(std::fs::read(file?.path())?);
                }
                std::fs::write(seeds::pack(&root, target), packed(inputs))?;
            }
        }
        _ => return Err(std::io::Error::other("corpora spread DIR, or corpora pack DIR")),
    }
    Ok(())
}

/// The words that stand in a target's texts, as libFuzzer reads a dictionary.
fn dictionary(root: &Path, target: &str) -> String {
    let mut words = BTreeSet::new();
    for text in seeds::made(root, target).into_iter().filter_map(|input| String::from_utf8(input).ok()) {
        let parts = text.split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c));
        words.extend(parts.filter(|word| (3..24).contains(&word.len())).map(str::to_owned));
    }
    words.iter().map(|word| format!("\"{word}\"\n")).collect()
}

/// So many octets of inputs are kept of a target, the shortest: a repository is no store.
const KEPT: usize = 32 * 1024;

fn packed(mut inputs: Vec<Vec<u8>>) -> String {
    inputs.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    inputs.dedup();
    let mut octets = 0;
    let kept = inputs.iter().take_while(|input| {
        octets += input.len();
        octets <= KEPT
    });
    kept.map(|input| hex(input) + "\n").collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}
