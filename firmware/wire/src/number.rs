//! IEEE 11073-20601 SFLOAT and FLOAT, kept as mantissa and exponent: precision is meaning.

/// mantissa x 10^exponent. `5.0` is not `5`: equality is by digits, order by value.
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
