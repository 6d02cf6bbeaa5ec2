//! The whole hub in one thread, with simulated time, network and disk: whatever happens, in whatever order, the
//! promises hold. What fails is shrunk, and told as a conversation.
//!
//! `HEARTH_MODEL_SEEDS=from..to` makes it another run, best with `--release`; a failure prints its seed.
#![allow(clippy::unwrap_used)]

mod home;
mod promises;
mod words;

use home::{Case, Home};
use promises::Tally;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};
use words::{Word, word};

fn case() -> impl Strategy<Value = (usize, i64, Vec<Word>)> {
    let ahead = prop_oneof![Just(0), Just(95), Just(-7_200)];
    (0..3usize, ahead, proptest::collection::vec(word(), 1..90))
}

/// One case, from the first word until everything is well again. What is broken, a sentence each.
fn live(seed: u64, rung: usize, cuff_ahead: i64, words: &[Word]) -> (Vec<String>, Tally) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut home = Home::new(Case { rung, cuff_ahead }, seed).await;
        for word in words {
            home.happens(word).await;
        }
        home.ends_well().await;
        let broken = promises::broken(&mut home).await;
        home.end().await;
        broken
    })
}

fn told(rung: usize, cuff_ahead: i64, words: &[Word]) -> String {
    let how = ["updates as it creates", "creates on a condition", "can be searched"][rung];
    let mut told = format!("The record {how}; the cuff's clock is {cuff_ahead} s ahead.");
    for (n, word) in words.iter().enumerate() {
        told += &format!("\n{:3}. {word}", n + 1);
    }
    told
}

#[test]
#[allow(clippy::disallowed_methods, reason = "what a run takes is told, and nothing depends on it")]
fn whatever_happens_the_promises_hold() {
    let seeds = e2e::seeds("HEARTH_MODEL_SEEDS", 0..48);
    let total = RefCell::new(Tally::default());
    let mut words = 0;
    let runs = Cell::new(0_u32);
    // In all; the longest run, and its seed.
    let spent = Cell::new((Duration::ZERO, Duration::ZERO, 0));
    let mut failures = vec![];
    for seed in seeds.clone() {
        let mut octets = [0; 32];
        octets[..8].copy_from_slice(&seed.to_le_bytes());
        let config = Config {
            failure_persistence: None,
            max_shrink_iters: 600,
            max_shrink_time: 60_000,
            ..Config::default()
        };
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &octets);
        let mut runner = TestRunner::new_with_rng(config, random);
        let tree = case().new_tree(&mut runner).unwrap();
        words += tree.current().2.len();
        let ran = runner.run_one(tree, |(rung, ahead, words)| {
            let began = Instant::now();
            let (broken, tally) = live(seed, rung, ahead, &words);
            let (all, most, of) = spent.get();
            let (took, ran) = (began.elapsed(), runs.get() + 1);
            runs.set(ran);
            let (most, of) = (most, of).max((took, seed));
            spent.set((all + took, most, of));
            total.borrow_mut().add(tally);
            if broken.is_empty() { Ok(()) } else { Err(TestCaseError::fail(broken.join("\n"))) }
        });
        if let Err(TestError::Fail(said, (rung, ahead, words))) = ran {
            failures.push(format!("seed {seed}\n{}\n{said}", told(rung, ahead, &words)));
            break;
        }
    }
    home::tidy_up();
    println!(
        "model: seeds {seeds:?}, {words} words, {} ms for each of {} runs, {} ms for seed {}, {:?}",
        spent.get().0.as_millis() / u128::from(runs.get().max(1)),
        runs.get(),
        spent.get().1.as_millis(),
        spent.get().2,
        total.borrow()
    );
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
    let total = *total.borrow();
    let alive = total.delivered > 0 && total.held > 0 && total.taken_back > 0 && total.clinicians > 0;
    assert!(alive || seeds.end - seeds.start < 48, "too little happened: {total:?}");
}
