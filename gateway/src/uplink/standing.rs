//! How a destination stands, for `status`.

use hearth_core::delivery::Cure;
use hearth_core::map::fhir::Rung;
use jiff::Timestamp;
use std::fmt;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    pub standing: Standing,
    /// Known once something was to be sent.
    pub rung: Option<Rung>,
    /// Persons whom the record does not know; their readings wait.
    pub persons_unknown: usize,
    /// When it was last told how the hub fares.
    pub told: Option<Timestamp>,
    /// What a person must see to besides: a certificate that ends soon, files that can't be used.
    pub remarks: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    Ready,
    /// Left alone until then.
    Busy {
        until: Timestamp,
        said: String,
    },
    /// A person must act; tried again then all the same.
    Held {
        until: Timestamp,
        cure: Cure,
        said: String,
    },
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.standing {
            Standing::Ready if self.rung.is_none() => f.write_str("not asked yet: nothing was to be sent")?,
            Standing::Ready => f.write_str("answers")?,
            Standing::Busy { until, said } => write!(f, "tried again at {until:.0}: {said}")?,
            Standing::Held { until, cure: Cure::OurFiles, said } => {
                write!(f, "held, next try at {until:.0}: {said}")?
            }
            Standing::Held { until, cure, said } => {
                write!(f, "held, next try at {until:.0}: {cure} ({said})")?
            }
        }
        match self.persons_unknown {
            0 => {}
            1 => f.write_str("; one person is not known there: their readings wait")?,
            n => write!(f, "; {n} persons are not known there: their readings wait")?,
        }
        if let Some(told) = self.told {
            write!(f, "; told at {told:.0} how this hub fares")?;
        }
        let told = |remark: &&String| match &self.standing {
            Standing::Held { said, .. } => said != *remark,
            _ => true,
        };
        self.remarks.iter().filter(told).try_for_each(|remark| write!(f, "; {remark}"))
    }
}
