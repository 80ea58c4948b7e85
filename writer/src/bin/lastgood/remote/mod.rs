//! Feeds at an address: asked for over HTTP, and read by the same algorithm as in a browser.

mod body;
mod client;
mod origin;

pub(crate) use self::body::{decode, encoding};
pub(crate) use self::client::{Answer, Client, FeedUrl, NoAnswer};
pub(crate) use self::origin::HttpOrigin;

use std::time::Duration;

use clap::Args;
use lastgood::config::value;

/// Where a feed is served, for commands that read it there instead of in a directory.
#[derive(Debug, Args)]
#[command(next_help_heading = "At an address")]
pub(crate) struct RemoteOptions {
    /// Read what is served at this address instead of the directory, such as https://example.org/data/
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<FeedUrl>,
    /// How long that may take
    #[arg(long, value_name = "TIME", value_parser = value::time, requires = "url", default_value = "60s")]
    timeout: Duration,
}

impl RemoteOptions {
    /// The feed at the address, if one is given.
    pub(crate) fn origin(&self) -> Option<HttpOrigin> {
        self.url.as_ref().map(|url| HttpOrigin::new(url, self.timeout))
    }
}
