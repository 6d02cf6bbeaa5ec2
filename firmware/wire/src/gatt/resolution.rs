//! Whole steps of a scale, as exact decimals: what Weight and Body Composition Measurement share.

use super::WeightUnit;
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decimal, Malformed, NoRoom};

/// What one step of a u16 field is worth: `steps` x 10^`exponent`.
#[derive(Clone, Copy)]
pub(super) struct Resolution {
    steps: i32,
    exponent: i8,
}

/// 0.1: percent, ohm, kg/m2
pub(super) const TENTH: Resolution = Resolution { steps: 1, exponent: -1 };

impl Resolution {
    pub(super) fn decimal(self, raw: u16) -> Decimal {
        Decimal::new(i32::from(raw) * self.steps, self.exponent)
    }

    /// `None` for what no number of steps makes, digit by digit.
    pub(super) fn raw(self, decimal: Decimal) -> Option<u16> {
        let raw = u16::try_from(decimal.mantissa / self.steps).ok()?;
        (self.decimal(raw) == decimal).then_some(raw)
    }

    pub(super) fn read(self, reader: &mut Reader<'_>, field: &'static str) -> Result<Decimal, Malformed> {
        reader.u16(field).map(|raw| self.decimal(raw))
    }

    pub(super) fn write(
        self,
        writer: &mut Writer<'_>,
        field: &'static str,
        decimal: Decimal,
    ) -> Result<(), NoRoom> {
        writer.u16(field, self.raw(decimal).ok_or(NoRoom { field })?)
    }
}

impl WeightUnit {
    /// 0.005 kg or 0.01 lb
    pub(super) fn mass(self) -> Resolution {
        match self {
            WeightUnit::Si => Resolution { steps: 5, exponent: -3 },
            WeightUnit::Imperial => Resolution { steps: 1, exponent: -2 },
        }
    }

    /// 0.001 m or 0.1 inch
    pub(super) fn height(self) -> Resolution {
        match self {
            WeightUnit::Si => Resolution { steps: 1, exponent: -3 },
            WeightUnit::Imperial => Resolution { steps: 1, exponent: -1 },
        }
    }
}
