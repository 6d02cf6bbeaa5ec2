//! IEEE 11073-20601 SFLOAT and FLOAT, kept as mantissa and exponent: precision is meaning.
//!
//! Layout: IEEE 11073-20601, medical device numeric formats (FLOAT-Type and SFLOAT-Type); Bluetooth GATT
//! Specification Supplement, "medfloat16" and "medfloat32". No binary floating point comes near a value.

use core::cmp::Ordering;
use core::fmt::{self, Write as _};

/// mantissa x 10^exponent. `5.0` is not `5`: equality is by digits, order by value.
///
/// There is deliberately no `Ord`: it would have to call `5.0` and `5` equal. Use [`Decimal::compare`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Decimal {
    pub mantissa: i32,
    pub exponent: i8,
}

/// The values that are no numbers (IEEE 11073-20601, table of special values).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Special {
    NotANumber,
    NotAtThisResolution,
    PositiveInfinity,
    NegativeInfinity,
    Reserved,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Value {
    Finite(Decimal),
    Special(Special),
}

/// Each special value as SFLOAT and as FLOAT. All have exponent 0: 0xFFFF is -0.1, not special.
const SPECIALS: [(Special, u16, u32); 5] = [
    (Special::NotANumber, 0x07FF, 0x007F_FFFF),
    (Special::NotAtThisResolution, 0x0800, 0x0080_0000),
    (Special::PositiveInfinity, 0x07FE, 0x007F_FFFE),
    (Special::NegativeInfinity, 0x0802, 0x0080_0002),
    (Special::Reserved, 0x0801, 0x0080_0001),
];

impl Value {
    /// SFLOAT: exponent in the top 4 bits, mantissa in the low 12, both two's complement.
    pub fn from_sfloat(raw: u16) -> Value {
        match SPECIALS.iter().find(|(_, sfloat, _)| *sfloat == raw) {
            Some((special, ..)) => Value::Special(*special),
            None => Value::Finite(Decimal {
                mantissa: i32::from((raw << 4) as i16 >> 4),
                exponent: (raw as i16 >> 12) as i8,
            }),
        }
    }

    /// FLOAT: exponent in the top 8 bits, mantissa in the low 24, both two's complement.
    pub fn from_float(raw: u32) -> Value {
        match SPECIALS.iter().find(|(_, _, float)| *float == raw) {
            Some((special, ..)) => Value::Special(*special),
            None => Value::Finite(Decimal { mantissa: (raw << 8) as i32 >> 8, exponent: (raw >> 24) as i8 }),
        }
    }

    /// The SFLOAT with exactly these digits; `None` if there is none (it is never rounded or rescaled).
    pub fn to_sfloat(self) -> Option<u16> {
        let raw = match self {
            Value::Finite(Decimal { mantissa, exponent }) => {
                (exponent as u16) << 12 | mantissa as u16 & 0x0FFF
            }
            Value::Special(special) => SPECIALS.iter().find(|(each, ..)| *each == special)?.1,
        };
        // Reading it back shows both a value too large and one that would be taken for a special.
        (Value::from_sfloat(raw) == self).then_some(raw)
    }

    /// The FLOAT with exactly these digits; `None` if there is none (it is never rounded or rescaled).
    pub fn to_float(self) -> Option<u32> {
        let raw = match self {
            Value::Finite(Decimal { mantissa, exponent }) => {
                (exponent as u32) << 24 | mantissa as u32 & 0x00FF_FFFF
            }
            Value::Special(special) => SPECIALS.iter().find(|(each, ..)| *each == special)?.2,
        };
        (Value::from_float(raw) == self).then_some(raw)
    }

    /// The number, if it is one.
    pub fn finite(self) -> Option<Decimal> {
        match self {
            Value::Finite(decimal) => Some(decimal),
            Value::Special(_) => None,
        }
    }
}

impl Decimal {
    pub const fn new(mantissa: i32, exponent: i8) -> Decimal {
        Decimal { mantissa, exponent }
    }

    /// Times 10^by, exactly: kg/L to mg/dL is +5, mol/L to mmol/L is +3. The digits stay.
    ///
    /// The exponent saturates; an SFLOAT's (-8 to 7) is far from where it would.
    #[must_use]
    pub const fn shifted(self, by: i8) -> Decimal {
        Decimal { mantissa: self.mantissa, exponent: self.exponent.saturating_add(by) }
    }

    /// Order by value, exactly: `5.0` and `5` are equal here, and every zero is.
    pub fn compare(self, other: Decimal) -> Ordering {
        let higher = i16::from(self.exponent) - i16::from(other.exponent);
        if higher < 0 {
            return other.compare(self).reverse();
        }
        // Every mantissa is below 10^10, so ten places up outweigh it; as many fit into an i128.
        let scale = 10_i128.pow(u32::from(higher.unsigned_abs()).min(10));
        (i128::from(self.mantissa) * scale).cmp(&i128::from(other.mantissa))
    }
}

/// All digits that were sent, and no exponent: `2.00`, `200`, `0.010`, `-0.1`.
///
/// Width and precision of the format string are ignored, so that none can cut a digit off.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mantissa < 0 {
            f.write_char('-')?;
        }
        let digits = self.mantissa.unsigned_abs();
        if self.exponent >= 0 {
            write!(f, "{digits}")?;
            // Zero has no places to fill.
            let zeros = if digits == 0 { 0 } else { self.exponent };
            return (0..zeros).try_for_each(|_| f.write_char('0'));
        }
        let places = usize::from(self.exponent.unsigned_abs());
        match 10_u32.checked_pow(u32::from(self.exponent.unsigned_abs())) {
            Some(one) => write!(f, "{}.{:0places$}", digits / one, digits % one),
            None => write!(f, "0.{digits:0places$}"),
        }
    }
}

impl fmt::Display for Special {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Special::NotANumber => "NaN",
            Special::NotAtThisResolution => "NRes",
            Special::PositiveInfinity => "+INF",
            Special::NegativeInfinity => "-INF",
            Special::Reserved => "reserved",
        })
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Finite(decimal) => decimal.fmt(f),
            Value::Special(special) => special.fmt(f),
        }
    }
}
