//! What a lastgood publisher and reader must agree on.

pub mod payload;
