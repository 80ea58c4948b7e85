//! Payloads that say what they are: each follows from its dataset, its writer and its round, and from nothing else.

use serde::{Deserialize, Serialize};

/// What a payload says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Id {
    /// Its dataset.
    pub dataset: String,
    /// Who has published it.
    pub writer: u32,
    /// The how-manieth of this writer it is.
    pub round: u64,
}

#[derive(Serialize)]
struct Payload<'a> {
    #[serde(flatten)]
    id: &'a Id,
    fill: String,
}

impl Id {
    /// The payload: one that fits into a packet, one of a few kilobytes with compressed siblings, one of many packets.
    #[must_use]
    pub fn payload(&self) -> String {
        let units = match self.dataset.as_str() {
            "small" => 1,
            "middle" => 40,
            _ => 400,
        };
        let unit = format!("{}-{}-{} ", self.dataset, self.writer, self.round.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let payload = Payload { id: self, fill: unit.repeat(units) };
        serde_json::to_string(&payload).expect("it has only string keys")
    }

    /// What a whole payload says of itself; `None` when it is not whole.
    #[must_use]
    pub fn of(payload: &[u8]) -> Option<Self> {
        let id: Self = serde_json::from_slice(payload).ok()?;
        (id.payload().as_bytes() == payload).then_some(id)
    }
}
