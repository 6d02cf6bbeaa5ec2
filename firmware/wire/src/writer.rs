/// The buffer given to `encode` is too small, or a value does not fit its field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoRoom {
    pub field: &'static str,
}
