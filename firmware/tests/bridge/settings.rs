//! The old octets or the new ones, wherever the power fails.

use crate::nor::{Chip, Flash, Trouble};
use embassy_futures::block_on as now;
use firmware::flash::{Refused, Settings};

fn load(settings: &mut Settings<Flash>) -> Option<Vec<u8>> {
    let mut buffer = [0; Settings::<Flash>::LONGEST];
    now(settings.load(&mut buffer)).unwrap().map(<[u8]>::to_vec)
}

#[test]
fn what_was_kept_last_is_there() {
    let chip = Chip::new(2, 1);
    let mut settings = now(Settings::open(Flash::of(&chip))).unwrap();
    assert_eq!(load(&mut settings), None);
    let longest = Settings::<Flash>::LONGEST;
    for length in [0, 1, 255, 256, 257, longest] {
        let octets = vec![length as u8; length];
        now(settings.save(&octets)).unwrap();
        assert_eq!(load(&mut settings), Some(octets.clone()));
        settings = now(Settings::open(Flash::of(&chip))).unwrap();
        assert_eq!(load(&mut settings), Some(octets));
    }
    assert_eq!(now(settings.save(&vec![0; longest + 1])), Err(Refused::TooLong));
    assert_eq!(now(settings.load(&mut [0; 8])), Ok(None), "not into less room than it needs");
}

#[test]
fn every_operation_may_be_the_last() {
    let mut cuts = 0;
    for seed in 0..200 {
        let chip = Chip::new(2, seed);
        let mut held: Option<Vec<u8>> = None;
        for n in 1..60_u32 {
            let octets = vec![n as u8; 1 + (n as usize * 97) % Settings::<Flash>::LONGEST];
            chip.borrow_mut().starts(Some(1 + n % 9));
            let saved = now(async {
                let mut settings = Settings::open(Flash::of(&chip)).await?;
                settings.save(&octets).await
            });
            chip.borrow_mut().starts(None);
            let found = load(&mut now(Settings::open(Flash::of(&chip))).unwrap());
            match saved {
                Ok(()) => assert_eq!(found.as_ref(), Some(&octets), "seed {seed}, {n}"),
                Err(refused) => {
                    assert_eq!(refused, Refused::Flash(Trouble::Cut));
                    assert!(found == held || found.as_ref() == Some(&octets), "seed {seed}, {n}: a mixture");
                    cuts += 1;
                }
            }
            held = found;
        }
    }
    println!("settings: {cuts} saves that were cut off: the old or the new, never a mixture");
    assert!(cuts > 5_000, "{cuts}");
}
