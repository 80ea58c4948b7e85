//! Reads lastgood feeds in the browser.
