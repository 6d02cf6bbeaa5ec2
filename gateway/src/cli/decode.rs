//! `hearth decode`: what a characteristic's octets say, field by field, in exact digits.

use super::{Ending, Shown, exit};
use crate::fields::fields;
use crate::show::count;
use clap::Args;
use hearth_core::capture::Uuid16;
use hearth_core::profile::{Catalog, ProfileName};
use hearth_core::quirk::Quirk;

/// Decodes one characteristic value.
#[derive(Args, Debug)]
pub(crate) struct Decode {
    /// Assigned number in hexadecimal, such as 2A35; or a maker's own frame: adv:181D, adv:181B, adv:020E, omron-eeprom,
    /// body-composition-in-tenths
    characteristic: String,
    /// The value as on the wire, in hexadecimal; may be empty
    hex: String,
    /// Apply a named quirk
    #[arg(long)]
    quirk: Option<String>,
    /// Apply a profile's quirks, such as roche/accu-chek-guide
    #[arg(long, value_name = "MAKER/MODEL")]
    profile: Option<String>,
}

impl Decode {
    /// `catalog`: with the site's own profiles, where one is asked for.
    pub(crate) fn run(&self, catalog: impl FnOnce() -> Result<Catalog, Ending>) -> Result<Shown, Ending> {
        let name = self.characteristic.strip_prefix("0x").unwrap_or(&self.characteristic);
        let characteristic = Uuid16::parse(name).ok_or_else(|| {
            Ending::usage(format!(
                "{name:?} is no assigned number; give four hexadecimal digits, such as 2A35, or adv:181D, adv:181B, \
                 adv:020E, omron-eeprom, body-composition-in-tenths"
            ))
        })?;
        let octets = octets(&self.hex).map_err(Ending::usage)?;
        let quirks = self.quirks(catalog)?;
        let fields =
            fields(characteristic, &octets, &quirks).map_err(|said| Ending::new(exit::DATAERR, said))?;
        Ok(Shown::fields(fields))
    }

    fn quirks(&self, catalog: impl FnOnce() -> Result<Catalog, Ending>) -> Result<Vec<Quirk>, Ending> {
        let mut quirks = vec![];
        if let Some(name) = &self.profile {
            let catalog = catalog()?;
            let profile = catalog.get(&ProfileName(name.clone())).ok_or_else(|| {
                Ending::usage(format!("no profile is named {name:?}; `hearth devices --profiles` lists them"))
            })?;
            quirks.extend(profile.quirks.iter().copied());
        }
        if let Some(name) = &self.quirk {
            quirks.push(Quirk::parse(name).ok_or_else(|| {
                let known: Vec<&str> = Quirk::ALL.iter().map(|q| q.name()).collect();
                Ending::usage(format!("no quirk is named {name:?}; known: {}", known.join(", ")))
            })?);
        }
        Ok(quirks)
    }
}

/// As a person may write them: `0x16 7C 00`, `16:7C:00`, `167C00`.
fn octets(text: &str) -> Result<Vec<u8>, String> {
    let text = text.strip_prefix("0x").unwrap_or(text);
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | ':' | '-')).collect();
    if let Some(at) = digits.chars().position(|c| !c.is_ascii_hexdigit()) {
        return Err(format!(
            "the value is not hexadecimal at its digit {}; give two digits an octet",
            at + 1
        ));
    }
    data_encoding::HEXUPPER_PERMISSIVE.decode(digits.as_bytes()).map_err(|_| {
        format!("the value has {}; give two for each octet", count(digits.len() as u64, "digit"))
    })
}
