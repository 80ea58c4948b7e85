//! What a lastgood publisher and reader must agree on.
