//! Gives the linker the memory's plan. Where it is, it has another name: the linker would take a memory.x of the folder in which cargo
//! runs for every binary.

use std::path::PathBuf;

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo says where to write"));
    std::fs::write(out.join("memory.x"), include_bytes!("memory/bridge.x")).expect("a file for the linker");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=--nmagic");
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rerun-if-changed=memory/bridge.x");
}
