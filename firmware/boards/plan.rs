//! For a board's build script: gives the linker the memory's plan, and its scripts.

use std::path::PathBuf;

/// Where the plan is, it has another name: the linker would take a memory.x of the folder in which cargo runs for every binary.
/// Returns where else the linker looks.
pub(crate) fn plan(memory: &str, scripts: &[&str]) -> PathBuf {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo says where to write"));
    std::fs::copy(memory, out.join("memory.x")).expect("a plan, and a file for the linker");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=--nmagic");
    for script in scripts {
        println!("cargo:rustc-link-arg-bins=-T{script}");
    }
    println!("cargo:rerun-if-changed={memory}");
    out
}
